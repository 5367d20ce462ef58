"""API keys as settings have them: who has which, who may do what, and whose web pages may ask.

May import `config` and `domain`.
"""

from nearimage.config.settings import InvalidSetting, Settings, as_yes_or_no


def users_of_keys(settings: Settings) -> dict[str, str]:
    """Whose key each is, by key; none where keys are switched off.

    Raises:
        InvalidSetting: no key, an empty one, one that two have, or another number of users.
    """
    if not settings.api_keys_enabled:
        return {}
    keys, users = ([part.strip() for part in text.split(",")] for text in (settings.api_keys, settings.api_key_users))
    if not all(keys) or len(set(keys)) < len(keys):
        raise InvalidSetting("api_keys (AUTHENTICATION_APIKEY_ALLOWED_KEYS) needs keys, none of them empty or twice", setting="api_keys", source=None)
    if not all(users) or len(users) not in (1, len(keys)):
        message = f"api_key_users (AUTHENTICATION_APIKEY_USERS) needs one user, or one for each of the {len(keys)} keys; got {len(list(filter(None, users)))}"
        raise InvalidSetting(message, setting="api_key_users", source=None)
    return dict(zip(keys, users * (len(keys) // len(users)), strict=True))


def allows_anonymous(settings: Settings) -> bool:
    """Whether callers without a key may come in: as it is set, and where it is not, unless there are keys.

    Raises:
        InvalidSetting: neither true nor false; or nobody could come in.
    """
    said = settings.anonymous_access
    allowed = as_yes_or_no(said, "anonymous_access") if said else not settings.api_keys_enabled
    if not allowed and not settings.api_keys_enabled:
        message = "nobody could come in: anonymous access is off, and there are no API keys; set AUTHENTICATION_APIKEY_ENABLED and the keys"
        raise InvalidSetting(message, setting="anonymous_access", source=None)
    return allowed


def lists_of_users(settings: Settings) -> tuple[frozenset[str], frozenset[str]] | None:
    """Who may do everything, and who may read; None where nothing of the kind is told apart.

    Raises:
        InvalidSetting: somebody is on both lists.
    """
    if not settings.admin_list:
        return None
    admins, readers = (frozenset(filter(None, map(str.strip, text.split(",")))) for text in (settings.admin_users, settings.read_only_users))
    if both := sorted(admins & readers):
        raise InvalidSetting(f"{both} may do everything, or only read: name each on one list", setting="read_only_users", source=None)
    return admins, readers


def pages_that_may_ask(settings: Settings) -> frozenset[str] | None:
    """The origins whose web pages may ask, `*` for any; None for those of this machine, which is so where nothing is set and nobody needs a key."""
    origins = frozenset(filter(None, (part.strip().rstrip("/") for part in settings.cors_allow_origin.split(","))))
    return origins or (None if allows_anonymous(settings) else frozenset("*"))


def warnings_about_rights(settings: Settings) -> list[str]:
    """What was asked for and is not there, so that nobody believes in a lock that is open."""
    missing = {"AUTHORIZATION_RBAC_ENABLED": settings.rbac, "AUTHENTICATION_OIDC_ENABLED": settings.oidc, "AUTHENTICATION_DB_USERS_ENABLED": settings.db_users}
    advice = (
        "this server has API keys and lists of users (AUTHENTICATION_APIKEY_ENABLED, AUTHORIZATION_ADMINLIST_ENABLED) and nothing else to tell callers apart"
    )
    return [f"{name} is set, but {advice}" for name, asked in missing.items() if asked]
