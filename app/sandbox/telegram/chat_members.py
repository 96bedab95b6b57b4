"""`ChatMember` objects: every way to stand to a chat, with the rights that belong to it.

Shapes: https://core.telegram.org/bots/api#chatmember, Bot API 10.3.
"""

from typing import Any, Final

#: The seven ways to stand to a chat; `restricted` is two of them.
STATUSES: Final = (
    "creator",
    "administrator",
    "member",
    "restricted",  # inside, with fewer rights
    "restricted_out",  # the same status with `is_member` false
    "left",
    "kicked",
)

#: Every compulsory field of ChatMemberAdministrator.
_RIGHTS: Final = {
    "can_be_edited": False,
    "can_manage_chat": True,
    "can_change_info": True,
    "can_delete_messages": True,
    "can_invite_users": True,
    "can_restrict_members": True,
    "can_promote_members": False,
    "can_manage_video_chats": True,
    "can_post_stories": False,
    "can_edit_stories": False,
    "can_delete_stories": False,
    "can_send_welcome_messages": False,
    "is_anonymous": False,
}
#: The rights that an administrator has, or has not, only in such a chat.
_CHANNEL_RIGHTS: Final = {
    "can_post_messages": True,
    "can_edit_messages": False,
    "can_manage_direct_messages": False,
}
_GROUP_RIGHTS: Final = {"can_pin_messages": True, "can_manage_tags": False}
_SUPERGROUP_RIGHTS: Final = _GROUP_RIGHTS | {"can_manage_topics": False}
_RIGHTS_BY_TYPE: Final = {
    "channel": _CHANNEL_RIGHTS,
    "group": _GROUP_RIGHTS,
    "supergroup": _SUPERGROUP_RIGHTS,
}
#: Every compulsory permission of ChatMemberRestricted: this person may do nothing.
_RESTRICTED: Final = dict.fromkeys(
    (
        "can_send_messages", "can_send_audios", "can_send_documents", "can_send_photos",
        "can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_send_polls",
        "can_send_other_messages", "can_add_web_page_previews", "can_react_to_messages",
        "can_edit_tag", "can_change_info", "can_invite_users", "can_pin_messages",
        "can_manage_topics",
    ),
    False,
)  # fmt: skip


def chat_member(user: dict[str, Any], status: str, chat_type: str = "channel") -> dict[str, Any]:
    """Return the `ChatMember` of a user, by one of STATUSES, in a chat of that type."""
    member: dict[str, Any] = {"user": user, "status": status.removesuffix("_out")}
    if status == "creator":
        member["is_anonymous"] = False
    elif status == "administrator":
        member |= _RIGHTS | _RIGHTS_BY_TYPE.get(chat_type, {})
    elif status.startswith("restricted"):
        member |= {"is_member": status == "restricted", "until_date": 0} | _RESTRICTED
    elif status == "kicked":
        member["until_date"] = 0
    return member
