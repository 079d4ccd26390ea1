"""What the page's scripts say. It is here, and not in JavaScript, so that one catalogue holds every text."""

from django.utils.translation import gettext as _

from apps.channels.capabilities import AddressKind


def texts() -> dict[str, str]:
    """By the name that the scripts know each by; those that end in _one and _other come with a number."""
    return {
        **_of_the_connection(),
        **_of_conversations(),
        **_of_messages(),
        **_of_writing(),
        **_of_files(),
        **_of_the_activity(),
        **_of_the_simulation(),
        "unexpected": _("Something went wrong on this page. Load it again."),
        "unreachable": _("The server cannot be reached. Check your connection."),
        "server_trouble": _("The server is in trouble. Try again in a moment."),
        "logged_out": _("You are logged out. Log in again."),
        "loading": _("Loading…"),
    }


def addresses() -> dict[AddressKind, str]:
    """How one writes each kind."""
    return {
        AddressKind.PHONE: _("A phone number with its country, such as +5511912345678."),
        AddressKind.INSTAGRAM_ID: _("The person's id on Instagram, which comes with what they wrote."),
        AddressKind.TELEGRAM_CHAT: _("The number of the Telegram chat, which comes with what the person wrote."),
        AddressKind.EMAIL: _("An e-mail address."),
        AddressKind.URL: _("The address that is called, with https."),
    }


def _of_the_connection() -> dict[str, str]:
    return {
        "connected": _("Connected"),
        "connected_means": _("Every change appears here as it happens."),
        "connecting": _("Connecting…"),
        "reconnecting": _("Reconnecting…"),
        "reconnecting_in": _("Reconnecting in %(count)s s…"),
        "offline": _("Offline"),
        "offline_means": _("This device has no network. What you missed is fetched when it is back."),
        "polling_means": _("Until then this page asks every few seconds. Nothing is lost."),
        "closed": _("Not connected"),
        "closed_means": _("The connection was ended. Nothing new appears by itself until you connect again."),
        "closed_not_authenticated": _("Your login was no longer accepted."),
        "closed_origin": _("The server does not accept connections from this address. Tell your administrator."),
        "closed_too_slow": _("This page could not keep up."),
        "closed_too_many": _("Too many connections or requests."),
        "closed_restart": _("The server restarts."),
        "closed_no_client": _("A part of this page could not be loaded. Load the page again."),
    }


def _of_conversations() -> dict[str, str]:
    return {
        "now": _("now"),
        "minutes_ago": _("%(count)s min"),
        "without_text": _("A message without text"),
        "no_message_yet": _("No message yet"),
        "new_messages_one": _("%(count)s new message"),
        "new_messages_other": _("%(count)s new messages"),
        "no_such_conversation": _("There is no such conversation in this organization."),
    }


def _of_messages() -> dict[str, str]:
    return {
        "show_story": _("Show what happened"),
        "to_newest": _("To the newest"),
        "handing_over": _("on its way to the server"),
        "not_handed_over": _("Not sent. %(why)s"),
        "send_again": _("Send again"),
        "discard": _("Discard"),
        "try_again": _("Try again"),
        "cancel_message": _("Take back"),
        "leaves_at": _("Leaves on %(time)s"),
        "ended_failed": _("It could not be sent."),
        "ended_cancelled": _("It was taken back before it left."),
        "ended_expired": _("It could not be sent in time."),
        "error_transient": _("The provider was in trouble, too often."),
        "error_rate_limited": _("The provider was asked too often."),
        "error_recipient_rejected": _("This address cannot be reached, or does not want to be."),
        "error_message_rejected": _("The provider does not carry this message."),
        "error_account_rejected": _("The provider does not accept this channel account."),
        "error_outcome_unknown": _("Nobody knows whether it was sent: the provider never answered."),
        "error_with_answer": _("%(error)s In its words: “%(answer)s”%(code)s"),
        "attempt": _("attempt %(number)s"),
        "answered_after": _("answered after %(time)s"),
        "goes_on_in": _("goes on in %(time)s"),
        "fact_accepted": _("Accepted at"),
        "fact_written": _("Written at"),
        "fact_category": _("Category"),
        "goes_on_over": _("goes on over %(channel)s"),
        "forwarded": _("Forwarded by a route"),
        "other_way": _("Tried this way because another one failed"),
        "of_another": _("another message of this chain"),
        "touched": _("Touched: %(button)s"),
        "media_image": _("Image"),
        "media_audio": _("Audio"),
        "media_video": _("Video"),
        "media_document": _("Document"),
        "opens_elsewhere": _("opens in another tab"),
        "fact_channel": _("Channel"),
        "fact_scheduled": _("Scheduled for"),
        "fact_priority": _("Priority"),
        "fact_reference": _("Reference"),
        "fact_provider_id": _("Provider's id"),
        "fact_id": _("Id"),
        "priority_low": _("low"),
        "priority_normal": _("normal"),
        "priority_high": _("high"),
    }


def _of_writing() -> dict[str, str]:
    return {
        "account_paused": _("This channel account is paused, so messages wait: %(why)s"),
        "paused_option": _("%(name)s (paused)"),
        "address_missing": _("Say to whom."),
        "part_missing": _("Give the link, or choose a template."),
        "no_templates": _("There is no published template yet. Write one in the administration."),
        "window_over": _("Here people can be written to freely for a while after they wrote, and that is over."),
        "window_never": _(
            "Here people can be written to freely for a while after they wrote, and this one has not written yet."
        ),
        "text_missing": _("Write something."),
        "characters_left": _("%(count)s characters left"),
        "characters_over": _("%(count)s characters too long"),
        "bytes_left": _("%(count)s bytes left"),
        "bytes_over": _("%(count)s bytes too long"),
        "too_many_pending": _("%(most)s messages wait to be sent. Send or discard them first."),
        "accepted_for": _("The message to %(who)s was accepted."),
        "became": _("The message to %(who)s: %(status)s."),
    }


def _of_files() -> dict[str, str]:
    return {
        "download": _("Download"),
        "download_named": _("Download %(name)s"),
        "being_fetched": _("being fetched…"),
        "fetch_failed": _("It could not be fetched from the provider."),
        "fetch_gone": _("The provider does not have it any more."),
        "fetch_too_large": _("It is too large to be fetched."),
        "fetch_quota": _("There is no room for it: the organization's storage is full."),
        "fetch_not_handed_out": _("This channel hands out no files."),
        "uploading": _("Uploading %(name)s"),
        "uploaded": _("%(name)s is uploaded."),
        "checking": _("checking…"),
        "not_uploaded": _("not uploaded"),
        "still_uploading": _("The file is still on its way."),
        "goes_as_link": _("goes as a link: %(channel)s does not carry it"),
        "one_file": _("One file goes with a message: the first one was taken."),
        "drop_here": _("Drop the file here"),
        "remove": _("Remove"),
        "remove_named": _("Remove %(name)s"),
    }


def _of_the_activity() -> dict[str, str]:
    return {
        "while_paused_one": _("%(count)s change since you paused"),
        "while_paused_other": _("%(count)s changes since you paused"),
        "attempt_word": _("attempt"),
        "rate_in_words": _("In the last ten seconds: %(accepted)s accepted and %(delivered)s delivered a second."),
        "rate_at": _("%(time)s: %(accepted)s accepted, %(delivered)s delivered"),
        "latency_in_words": _("In the last minute, half were delivered within %(half)s, 95%% within %(most)s."),
        "latency_at": _("%(time)s: half within %(half)s, 95%% within %(most)s"),
        "no_latency_yet": _("Nothing was delivered in the last minute."),
        "nothing_at": _("%(time)s: nothing was delivered"),
        "counts_of": _("The latest %(count)s messages"),
    }


def _of_the_simulation() -> dict[str, str]:
    return {
        "every_account": _("Every account, in turn"),
        "simulated_person": _("Simulated person %(number)s"),
        "person_wrote": _("It is on its way: look for it among the conversations."),
        "accepted_count_one": _("%(count)s accepted."),
        "accepted_count_other": _("%(count)s accepted."),
        "refused_count_one": _("%(count)s refused:"),
        "refused_count_other": _("%(count)s refused:"),
        "fault_struck": _("%(share)s%% of requests, struck %(count)s times"),
        "simulators_unreachable": _(
            "The simulated providers do not answer this page. Open it at the address that the demo printed."
        ),
        "sample_1": _("Your order is ready. See you soon at the bakery."),
        "sample_2": _("Your delivery arrives today between 4 and 6 pm."),
        "sample_3": _("Thank you for your visit. Come again!"),
        "sample_4": _("A reminder: your cake is due tomorrow."),
        "sample_5": _("Your payment arrived. Thank you!"),
    }
