/**
 * What the modules and those who use them call things. Types only: nothing here runs.
 *
 * @typedef {'idle' | 'connecting' | 'connected' | 'waiting' | 'closed'} StateName
 *
 * @typedef {object} State
 * @property {StateName} state
 * @property {string | null} reason why it is so, for people and logs
 * @property {number | null} code the close code of the server, if it gave one
 * @property {number | null} retryInMs when the next try is, while waiting
 *
 * @typedef {object} StatusEvent
 * @property {'status'} type
 * @property {string} message_id
 * @property {string} conversation_id
 * @property {string} organization_id
 * @property {string} status where the message stands
 * @property {string} kind what happened
 * @property {string} at
 * @property {string} offset
 * @property {number | string} event_id
 * @property {number | null} [attempt]
 *
 * @typedef {object} MessageFields
 * @property {'message'} type
 * @property {string} message_id
 * @property {string} conversation_id
 * @property {string} organization_id
 * @property {string} at
 * @property {string} offset
 * @property {number | string} [event_id]
 *
 * @typedef {MessageFields & Record<string, unknown>} MessageEvent somebody wrote
 *
 * @typedef {object} Gap
 * @property {string | null} conversationId null: of the whole organization
 * @property {string} offset events go on from here
 *
 * @typedef {object} Subscribed
 * @property {string | null} conversationId null: the whole organization
 * @property {string} offset
 * @property {boolean} recovered whether everything since the offset that was asked for follows
 *
 * @typedef {object} Problem
 * @property {string} code
 * @property {string} detail
 * @property {string | null} conversationId
 * @property {unknown} [error] what was thrown, if something was
 * @property {number} [retryInMs] it is tried again by itself
 *
 * @typedef {object} ClientEvents
 * @property {StatusEvent} status
 * @property {MessageEvent} message
 * @property {State} state
 * @property {Subscribed} subscribed
 * @property {Gap} gap
 * @property {Problem} error
 *
 * @typedef {object} Clock
 * @property {() => number} now
 * @property {(run: () => void, ms: number) => unknown} setTimeout
 * @property {(timer: any) => void} clearTimeout
 *
 * @typedef {object} Surroundings what a client listens to in a browser
 * @property {(type: string, listener: () => void) => void} addEventListener
 * @property {(type: string, listener: () => void) => void} removeEventListener
 * @property {{visibilityState: string, addEventListener: (type: string, listener: () => void) => void,
 *   removeEventListener: (type: string, listener: () => void) => void}} [document]
 *
 * @typedef {object} RequiredOptions
 * @property {string | URL} url of `/ws/status`: ws(s), http(s), or relative to the page
 * @property {(ask: {refresh: boolean}) => string | Promise<string>} getToken called for each connection, and with
 *   `refresh` when the last token was refused or is about to end. Rejecting with an error whose `terminal` is true
 *   closes the client
 *
 * @typedef {object} Settings
 * @property {number} pingIntervalMs
 * @property {number} pongTimeoutMs
 * @property {number} connectTimeoutMs for the token, and again for the connection
 * @property {number} minBackoffMs
 * @property {number} maxBackoffMs
 * @property {number} healthyAfterMs a connection that held for so long was a good one
 * @property {number} refreshBeforeMs how long before its end a token is replaced
 * @property {number} frameBurst so many frames may be sent at once
 * @property {number} framesPerSecond and so many in the long run
 * @property {number} maxSubscriptions
 * @property {number} rememberedEvents so many are known again if they come twice
 * @property {typeof WebSocket} WebSocket
 * @property {Clock} clock
 * @property {() => number} random
 * @property {Surroundings | null} surroundings
 *
 * @typedef {RequiredOptions & Partial<Settings>} Options
 *
 * @typedef {object} FileMetadata what the server made of a file
 * @property {string} id
 * @property {string} name made harmless where it was not
 * @property {number} size
 * @property {string} sha256
 * @property {string} media_type by its content
 * @property {'image' | 'audio' | 'video' | 'document'} kind
 * @property {boolean} has_thumbnail
 * @property {boolean} is_used
 * @property {string} created_at
 *
 * @typedef {object} UploadProgress
 * @property {number} loaded bytes; less than before where a part is sent again
 * @property {number} total
 * @property {'sending' | 'checking' | 'ready'} phase
 * @property {string | null} uploadId to resume it by; null where it goes through the server
 *
 * @typedef {object} UploadSettings
 * @property {RequiredOptions['getToken']} getToken called for each request
 * @property {(progress: UploadProgress) => void} onProgress
 * @property {AbortSignal} signal gives it up, here and at the server
 * @property {string} resume the id of an upload that broke off
 * @property {string} name of a Blob that has none
 * @property {typeof globalThis.fetch} fetch carries everything, where it is given
 * @property {typeof globalThis.XMLHttpRequest | null} XMLHttpRequest carries bodies: it tells how far they are
 * @property {SubtleCrypto | null} subtle null where the page is not a secure context
 * @property {number} connectTimeoutMs for a token, and for an answer
 * @property {number} stalledAfterMs a body of which nothing was sent for so long is sent again
 * @property {number} minBackoffMs
 * @property {number} maxBackoffMs
 * @property {number} tries of each request and each part
 * @property {Clock} clock
 * @property {() => number} random
 *
 * @typedef {object} UploadTarget
 * @property {string | URL} url of the server: http(s), or relative to the page
 * @property {string} [token] in place of getToken, for uploads that end before it does
 *
 * @typedef {UploadTarget & Partial<UploadSettings>} UploadOptions
 */
export {};
