"""Query parameters that say where a click came from, never which page it opened.

The rule that keeps a silent merge safe: a parameter is ignored everywhere only if its name carries its vendor
(`utm_`, `fbclid`, `mc_eid`). A generic name (`si`, `s`, `source`, `ref_src`) is ignored only on the site whose meaning
for it is known. Sources: the query filter of the Brave browser, the ClearURLs rules without their broad patterns.
A change here changes keys: raise `KEY_VERSION` with it.
"""

from functools import lru_cache
from typing import Final

GLOBAL_PREFIXES: Final = ("utm_", "mtm_", "hsa_", "bsft_", "oft_", "sfmc_", "vero_", "at_recipient_", "fb_action_")

GLOBAL_NAMES: Final = frozenset(
    {
        # Google
        *("_ga", "_gl", "dclid", "gad_campaignid", "gad_source", "gbraid", "gclid", "gclsrc", "srsltid", "wbraid"),
        *("ga_campaign", "ga_content", "ga_medium", "ga_place", "ga_source", "ga_term"),
        # Facebook, LinkedIn, Microsoft, Pinterest, Reddit, TikTok, Twitter
        *("fb_comment_id", "fb_ref", "fb_source", "fbclid", "li_fat_id", "msclkid", "epik", "rdt_cid"),
        *("ttclid", "twclid"),
        # Yahoo, Yandex
        *("guccounter", "guce_referrer", "guce_referrer_sig", "syclid", "yclid", "ymclid", "ysclid", "_openstat"),
        # HubSpot, Drip, Klaviyo, Mailchimp, MailerLite, Marketo, Beehiiv and other mailers
        *("__hsfp", "__hssc", "__hstc", "_hsenc", "_hsmi", "hsctatracking", "__s", "_bhlid", "_kx", "bbeml"),
        *("et_rid", "mc_cid", "mc_eid", "mkt_tok", "ml_subscriber", "ml_subscriber_hash", "nr_email_referer"),
        *("oly_anon_id", "oly_enc_id", "ss_email_id", "vgo_ee"),
        # Matomo, AT Internet, Webtrekk, Adobe and other measuring
        *("pk_campaign", "pk_cid", "pk_content", "pk_keyword", "pk_kwd", "pk_medium", "pk_source"),
        *("xtor", "xtref", "wt_mc", "wt_zmc", "s_cid", "s_kwcid"),
        *("_branch_match_id", "_branch_referrer", "dicbo", "irclickid", "rb_clickid", "tblci", "unicorn_click_id"),
        *("sc_customer", "sc_eh", "sc_uid", "sms_click", "sms_source", "sms_uph", "wickedid"),
    }
)

_AMAZON: Final = frozenset(
    {"pd_rd_i", "pd_rd_p", "pd_rd_r", "pd_rd_w", "pd_rd_wg", "pf_rd_i", "pf_rd_m", "pf_rd_p", "pf_rd_r"}
    | {"pf_rd_s", "pf_rd_t", "ref_", "qid", "crid", "sprefix"}
)
_TWITTER: Final = frozenset({"ref_src", "ref_url", "s", "t"})

SITE_NAMES: Final[dict[str, frozenset[str]]] = {
    "youtube.com": frozenset({"si", "feature", "ab_channel"}),
    "youtu.be": frozenset({"si", "feature"}),
    "x.com": _TWITTER,
    "twitter.com": _TWITTER,
    "instagram.com": frozenset({"igsh", "igshid", "stkn"}),
    "threads.net": frozenset({"igshid", "xmt"}),
    "facebook.com": frozenset({"mibextid", "__tn__", "hc_ref", "fref"}),
    "tiktok.com": frozenset({"_r", "_t", "is_from_webapp", "sender_device"}),
    "linkedin.com": frozenset({"trk", "trackingid", "lipi", "rcm"}),
    "reddit.com": frozenset({"share_id", "rdt"}),
    "open.spotify.com": frozenset({"si"}),
    "medium.com": frozenset({"source"}),
    "bilibili.com": frozenset({"spm_id_from", "vd_source"}),
    "aliexpress.com": frozenset({"spm", "scm", "algo_pvid"}),
    "google.com": frozenset({"ei", "ved", "gs_lcp", "gs_lp", "sca_esv", "sxsrf", "uact", "sclient", "aqs"}),
    "amazon.com": _AMAZON,
    "amazon.ca": _AMAZON,
    "amazon.co.jp": _AMAZON,
    "amazon.co.uk": _AMAZON,
    "amazon.de": _AMAZON,
    "amazon.es": _AMAZON,
    "amazon.fr": _AMAZON,
    "amazon.in": _AMAZON,
    "amazon.it": _AMAZON,
}

_NOTHING: Final[frozenset[str]] = frozenset()


@lru_cache(maxsize=1024)
def site_names(host: str) -> frozenset[str]:
    """Return the names ignored on `host` (lower case, no root dot) or on a site above it, in lower case."""
    rest = host
    while rest:
        names = SITE_NAMES.get(rest)
        if names is not None:
            return names
        rest = rest.partition(".")[2]
    return _NOTHING


@lru_cache(maxsize=1024)
def is_global(name: str) -> bool:
    """Say whether a parameter name (any case) is tracking wherever it stands."""
    lowered = name.lower()
    return lowered in GLOBAL_NAMES or lowered.startswith(GLOBAL_PREFIXES)
