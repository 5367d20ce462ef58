"""Read telephone numbers: which country, which number, how it is written, whether it can exist.

    "0171 1234567", "DE"  -->  +49 171 1234567, valid

The rules are those of every country's numbering plan, so they come from a library (libphonenumber's tables); it is loaded with the first number, because that
takes 45 ms and few databases hold one. May import phonenumbers and `domain` only.
"""

from nearimage.domain.values import PhoneNumber


def read_phone_number(typed: str, default_country: str) -> PhoneNumber:
    """Understand a number.

    Args:
        default_country: ISO 3166-1 alpha-2, in any case; empty where the number begins with + and a country code.

    Raises:
        ValueError: it is no telephone number, or of no known country; the text says which.
    """
    import phonenumbers as library  # noqa: PLC0415 see the module's docstring

    country = default_country.upper()
    try:
        number = library.parse(typed, country or None)
    except library.NumberParseException as wrong:
        raise ValueError(str(wrong)) from wrong
    return PhoneNumber(
        input=typed,
        default_country=country,
        international=library.format_number(number, library.PhoneNumberFormat.INTERNATIONAL),
        national=library.format_number(number, library.PhoneNumberFormat.NATIONAL),
        national_number=number.national_number or 0,
        country_code=number.country_code or 0,
        valid=library.is_valid_number(number),
    )
