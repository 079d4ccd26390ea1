/**
 * What the scripts of this page hand to each other. Nothing here runs.
 *
 * @typedef {"queued" | "sending" | "sent" | "delivered" | "read" | "failed" | "cancelled" | "expired" | "received"} Status
 *
 * @typedef {object} Connector
 * @property {string} label
 * @property {string} address  What a person is reached by: "phone", or the channel's own kind of id.
 * @property {number} longest_text
 * @property {"characters" | "bytes"} text_unit
 * @property {string} address_means  How one writes an address of it, in words.
 * @property {Record<string, number>} media  The kinds of files that it carries, with how long a text each.
 * @property {Record<string, number>} largest  Of each kind, in bytes. What is larger goes as a link.
 * @property {boolean} has_templates  The provider keeps some that go where texts may not.
 * @property {string} simulator  Who plays the provider in the demo; empty where people cannot write back.
 *
 * @typedef {object} Config
 * @property {string} language
 * @property {string} csrf
 * @property {{token: string, page: string, log_in: string, socket: string, client: string, uploads: string,
 *   simulators: string}} urls
 * @property {{types: string[], most_bytes: number}} thumbnails  Of which files there are some.
 * @property {Record<string, Connector>} connectors
 * @property {Record<Status, string>} statuses  In words.
 * @property {Record<string, string>} kinds  What can happen to a message, in words.
 * @property {Record<Status, Status[]>} may_follow  From which statuses each may come.
 * @property {Record<string, string>} texts
 *
 * @typedef {object} MessageError
 * @property {string} class
 * @property {string} code
 * @property {string} detail
 *
 * @typedef {object} Media
 * @property {string} kind
 * @property {string} url
 * @property {string} file_name
 * @property {string} media_type
 * @property {string} [file_id]  A file of ours; one that a person sent is none before it was fetched.
 * @property {number} [size]
 * @property {string} [error]  Why it could not be fetched.
 *
 * @typedef {object} Content
 * @property {string} [subject]
 * @property {Media} [media]
 * @property {{id: string, title: string}[]} [buttons]
 * @property {{name: string, language: string}} [template]
 * @property {string} [button]  The id of the button that the person touched.
 *
 * @typedef {object} Message  As the REST API shows it.
 * @property {string} id
 * @property {string} conversation_id
 * @property {string} account_id
 * @property {string} channel
 * @property {"outbound" | "inbound"} direction
 * @property {string} to
 * @property {Status} status
 * @property {string} text
 * @property {Content} content
 * @property {string} category
 * @property {string | null} reply_to
 * @property {string | null} forwarded_from
 * @property {string | null} fallback_of
 * @property {string} priority
 * @property {string} reference
 * @property {Record<string, unknown>} metadata
 * @property {string | null} scheduled_at
 * @property {string} expires_at
 * @property {string | null} provider_id
 * @property {MessageError | null} error
 * @property {string} created_at
 *
 * @typedef {{id: string, text: string, status: Status, created_at: string}} LastMessage
 *
 * @typedef {object} Conversation  As the REST API shows it, and what only this page knows.
 * @property {string} id
 * @property {string} account_id
 * @property {string} channel
 * @property {string} contact_id
 * @property {string} address
 * @property {{id: string, name: string}} contact
 * @property {{is_open: boolean, closes_at: string | null} | null} window  Null where one may write at any time.
 * @property {number} unread_count
 * @property {string | null} closed_at
 * @property {string} created_at
 * @property {LastMessage | null} last_message
 *
 * @typedef {Conversation & {active: string, counted: number}} Known  `active` is the id of the newest message that
 *   was heard of, `counted` the moment of which `unread_count` is.
 *
 * @typedef {object} Account
 * @property {string} id
 * @property {string} connector
 * @property {string} name
 * @property {Record<string, string>} credentials  Those that are not secret.
 * @property {{at: string, until: string | null, reason: string} | null} paused
 *
 * @typedef {object} StoryEvent  One thing that happened to a message, as the REST API tells it.
 * @property {string} kind
 * @property {string} at
 * @property {number} attempt
 * @property {string} message_id
 * @property {{error?: string, code?: string, detail?: string, ms?: number, seconds?: number, status?: Status,
 *   channel?: string, refused?: unknown}} detail
 *
 * @typedef {object} Change  A status frame of the WebSocket.
 * @property {string} message_id
 * @property {string} conversation_id
 * @property {Status} status
 * @property {string} kind
 * @property {string} at
 * @property {number | null} [attempt]
 * @property {string | number} event_id
 *
 * @typedef {{change: Change, track: import("./tracked.js").Track}} Heard
 *
 * @typedef {{id: string, name: string, published_version: number | null, archived_at: string | null}} Template
 *
 * @typedef {{name: string, type: string, sample: unknown, is_required: boolean}} Variable
 *
 * @typedef {object} WantedParts  What a message is besides its text, as the REST API takes it.
 * @property {{kind: string, url: string, file_name?: string}} [media]
 * @property {{name: string, variables: Record<string, string | number | boolean>}} [template]
 *
 * @typedef {object} Pending  A message that the server has not acknowledged.
 * @property {string} key  Its Idempotency-Key: however often it is sent, it is accepted once.
 * @property {string} text
 * @property {WantedParts} parts
 * @property {import("./upload.js").Upload | null} upload  The file that goes with it.
 * @property {boolean} isHanded  It is on its way and may be there already.
 * @property {Date} at
 * @property {import("./api.js").Problem | null} problem  Why it was not taken; null while it is on its way.
 *
 * @typedef {object} Thread  The messages of one conversation that are here, oldest first.
 * @property {Message[]} messages
 * @property {Pending[]} pending
 * @property {Map<string, string | null>} pages  By the first message of each page that was read: where the older are.
 * @property {string | null} older  Where those are that are older than all that are here.
 * @property {boolean} isCut  The newest are no longer here: somebody read far back.
 * @property {boolean} isLoaded
 *
 * @typedef {object} Access
 * @property {string} access
 * @property {number} expires_in
 * @property {string[]} scopes
 * @property {{id: string, email: string, name: string}} user
 * @property {{id: string, name: string}} organization
 * @property {{id: string, name: string}[]} organizations
 */

/**
 * @template T
 * @typedef {{data: T[], next: string | null, previous: string | null}} Page
 */

export {};
