"""The formats of providers: how their keys and tokens begin, of which characters the rest is, and how long it is.

Facts from the providers' documentation and from what GitHub's secret scanning, gitleaks, TruffleHog and CredSweeper
publish about formats. Lengths are a little wider than documented, because providers change them.
"""

from __future__ import annotations

from typing import Final, NamedTuple

ALPHABETS: Final = {
    "hex": "0-9a-fA-F",
    "lower": "a-z0-9",
    "upper": "A-Z0-9",
    "alnum": "A-Za-z0-9",
    "word": "A-Za-z0-9_",
    "url": r"A-Za-z0-9_\-",
    "dotted": r"A-Za-z0-9_.\-",
    "base64": r"A-Za-z0-9+/_=\-",
    "any": r"A-Za-z0-9+/_=.:~%$\-",
}
"""Of which characters the rest of a token is."""


class Format(NamedTuple):
    """How the tokens of one kind are written.

    Args:
        kind: what it is reported as.
        prefix: what it begins with.
        alphabet: one of `ALPHABETS`, for the rest.
        least: the shortest rest, in characters.
        most: the longest.
    """

    kind: str
    prefix: str
    alphabet: str
    least: int
    most: int


def _read(table: str) -> tuple[Format, ...]:
    formats = []
    for line in table.strip().splitlines():
        kind, alphabet, least, most, *prefixes = line.split()
        formats += [Format(kind, prefix, alphabet, int(least), int(most)) for prefix in prefixes]
    return tuple(formats)


# kind, alphabet of the rest, its least and most length, prefixes
FORMATS: Final = _read(r"""
AWS_ACCESS_KEY upper 16 17 AKIA ASIA ABIA ACCA A3T
AWS_BEDROCK_KEY base64 30 280 ABSK bedrock-api-key-
AWS_APPSYNC_KEY lower 24 28 da2-
AWS_MWS_KEY url 32 40 amzn.mws.
GOOGLE_API_KEY url 33 39 AIza
GOOGLE_OAUTH_SECRET url 22 36 GOCSPX-
GOOGLE_OAUTH_TOKEN dotted 24 2000 ya29.
GOOGLE_REFRESH_TOKEN url 30 120 1//0
OPENAI_API_KEY url 32 200 sk-proj- sk-svcacct- sk-admin- sk-None- sess-
OPENAI_API_KEY alnum 28 64 sk-
OPENROUTER_API_KEY hex 48 72 sk-or-v1-
ANTHROPIC_API_KEY url 32 140 sk-ant-api03- sk-ant-admin01- sk-ant-sid01- sk-ant-oat01- sk-ant-ort01- sk-ant-
LANGFUSE_SECRET_KEY url 30 40 sk-lf-
LANGSMITH_API_KEY word 32 60 lsv2_pt_ lsv2_sk_ ls__
HUGGINGFACE_TOKEN alnum 28 40 hf_ api_org_
GROQ_API_KEY alnum 40 64 gsk_
XAI_API_KEY alnum 60 96 xai-
PERPLEXITY_API_KEY alnum 32 64 pplx-
REPLICATE_API_TOKEN alnum 30 44 r8_
FIREWORKS_API_KEY alnum 20 40 fw_
CEREBRAS_API_KEY lower 40 64 csk-
TAVILY_API_KEY url 24 48 tvly-
NVIDIA_API_KEY url 50 80 nvapi-
PINECONE_API_KEY word 40 90 pcsk_
ELEVENLABS_API_KEY hex 40 52 sk_
JINA_API_KEY url 40 80 jina_
VOYAGE_API_KEY url 36 56 pa-
TOGETHER_API_KEY url 36 60 tgp_v1_
LLAMA_CLOUD_API_KEY url 40 60 llx-
LLAMA_API_KEY any 20 80 LLM|
DATABRICKS_TOKEN url 30 36 dapi
GITHUB_TOKEN alnum 30 255 ghp_ gho_ ghu_ ghs_ ghr_
GITHUB_TOKEN word 50 100 github_pat_
GITLAB_TOKEN dotted 18 64 glpat- gldt- glrt- glptt- glft- glimt- glagent- gloas- glcbt- glsoat- glffct- glrtr- glwt-
GITLAB_RUNNER_TOKEN url 18 30 GR1348941
BITBUCKET_TOKEN alnum 20 40 ATBB
BITBUCKET_TOKEN base64 30 60 BBDC-
AKAMAI_TOKEN url 32 36 akab-
BITBUCKET_TOKEN base64 60 260 ATCTT3xFfG
ATLASSIAN_API_TOKEN base64 60 260 ATATT3xFfG ATSTT3xFfG
SLACK_TOKEN url 16 260 xoxb- xoxp- xoxa- xoxr- xoxs- xoxo- xoxe- xoxe.xoxp- xoxe.xoxb- xoxc- xoxd-
SLACK_APP_TOKEN url 30 140 xapp-
STRIPE_KEY alnum 10 260 sk_live_ sk_test_ rk_live_ rk_test_ sk_prod_ rk_prod_
STRIPE_WEBHOOK_SECRET alnum 24 80 whsec_
TWILIO_API_KEY hex 32 32 SK
SENDGRID_API_KEY dotted 50 80 SG.
MAILGUN_API_KEY hex 32 32 key-
BREVO_API_KEY url 70 100 xkeysib- xsmtpsib-
RESEND_API_KEY word 24 44 re_
MAILERSEND_API_KEY alnum 48 80 mlsn.
KLAVIYO_API_KEY hex 30 40 pk_
NPM_TOKEN alnum 30 48 npm_
PYPI_TOKEN url 50 1200 pypi-AgEIcHlwaS5vcmc pypi-AgENdGVzdC5weXBpLm9yZw
RUBYGEMS_API_KEY hex 40 56 rubygems_
NUGET_API_KEY lower 43 43 oy2
CRATES_IO_TOKEN alnum 30 40 cio
CLOJARS_TOKEN alnum 58 62 CLOJARS_
DOCKER_TOKEN url 24 40 dckr_pat_ dckr_oat_
DOCKER_SWARM_KEY url 40 90 SWMTKN-1- SWMKEY-1-
DIGITALOCEAN_TOKEN hex 60 68 dop_v1_ doo_v1_ dor_v1_
HEROKU_API_KEY url 36 70 HRKU-
CLOUDFLARE_ORIGIN_KEY url 120 200 v1.0-
CLOUDFLARE_API_TOKEN alnum 36 60 cfut_ cfat_ cfk_
NEW_RELIC_KEY url 18 44 NRAK- NRII- NRIQ- NRRA- NRSP- NRJS- NRBR- NRAA-
GRAFANA_TOKEN base64 32 500 glc_ glsa_
GRAFANA_API_KEY base64 60 500 eyJrIjoi
SENTRY_TOKEN base64 40 500 sntrys_
SENTRY_TOKEN hex 60 68 sntryu_ sntrya_
HONEYCOMB_API_KEY word 50 70 hcaik_ hcxik_ hcaic_
POSTHOG_API_KEY url 30 80 phx_ pha_ phs_ phr_
DYNATRACE_TOKEN dotted 60 110 dt0c01. dt0s01. dt0s16.
VAULT_TOKEN url 22 320 hvs. hvb. hvr.
DOPPLER_TOKEN alnum 38 50 dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.
INFISICAL_TOKEN dotted 30 120 st.
ONEPASSWORD_SERVICE_TOKEN base64 200 1200 ops_eyJ
ONEPASSWORD_SECRET_KEY url 28 40 A3-
LINEAR_API_KEY alnum 36 64 lin_api_ lin_oauth_
NOTION_TOKEN alnum 40 52 ntn_ secret_
DROPBOX_TOKEN url 100 1400 sl.
AIRTABLE_TOKEN dotted 79 79 pat
FIGMA_TOKEN url 36 60 figd_ figo_ figu_ figor_
ASANA_TOKEN any 40 80 1/12 2/12
TYPEFORM_TOKEN any 38 70 tfp_
CONTENTFUL_TOKEN url 38 50 CFPAT-
SHOPIFY_TOKEN alnum 30 40 shpat_ shpca_ shppa_ shpss_ shprt_ shpua_ shpit_
SQUARE_TOKEN url 20 64 sq0atp- sq0csp- sq0idb- EAAA
PAYPAL_BRAINTREE_TOKEN any 30 80 access_token$
PLAID_TOKEN url 36 36 access-sandbox- access-development- access-production-
RAZORPAY_KEY alnum 14 14 rzp_live_ rzp_test_
FLUTTERWAVE_KEY url 12 60 FLWSECK- FLWSECK_TEST-
PAYSTACK_KEY hex 40 40 sk_live_ sk_test_
ADYEN_API_KEY base64 60 400 AQE
EASYPOST_API_KEY alnum 50 58 EZAK EZTK
SHIPPO_TOKEN hex 38 42 shippo_live_ shippo_test_
DUFFEL_TOKEN base64 40 48 duffel_test_ duffel_live_
LOB_API_KEY hex 35 35 live_ test_
FACEBOOK_TOKEN alnum 80 400 EAAC EAAM EAAB EAAG EAAH EAAJ EAAD EAAE EAAF
INSTAGRAM_TOKEN alnum 80 400 IGQV IGQW IGAA
TWITTER_BEARER_TOKEN any 60 140 AAAAAAAAAAAAAAAAAAAAA
TWITCH_TOKEN lower 28 32 oauth:
LINKEDIN_TOKEN base64 80 600 AQV
PULUMI_TOKEN hex 38 44 pul-
PLANETSCALE_TOKEN any 30 70 pscale_tkn_ pscale_oauth_ pscale_pw_
SUPABASE_KEY word 30 60 sbp_ sb_secret_ sbp_oauth_
NEON_API_KEY lower 50 80 napi_
PREFECT_TOKEN alnum 32 40 pnu_ pnb_
POSTMAN_API_KEY url 50 70 PMAK-
POSTMAN_API_KEY upper 26 26 PMAT-
READMEIO_TOKEN lower 60 76 rdme_
VERCEL_TOKEN alnum 24 64 vcp_ vci_ vca_ vcr_ vck_ vercel_blob_rw_
NETLIFY_TOKEN alnum 36 46 nfp_ nfc_ nfo_ nfu_ nfb_
FLY_TOKEN base64 40 1200 fo1_ fm1_ fm2_ fm1r_ fm1a_
RENDER_API_KEY alnum 24 44 rnd_
CIRCLECI_TOKEN word 40 90 CCIPAT_ CCIPRJ_
BUILDKITE_TOKEN alnum 36 64 bkua_ bkat_ bkct_
SONAR_TOKEN hex 38 42 squ_ sqp_ sqa_ sqb_
SNYK_TOKEN url 30 90 snyk_uat.
SOURCEGRAPH_TOKEN word 38 64 sgp_ slk_ sgd_
JFROG_TOKEN alnum 55 90 AKCp cmVmd
OPENSHIFT_TOKEN url 42 44 sha256~
CONFLUENT_SECRET base64 50 80 cflt
CLICKHOUSE_KEY alnum 38 38 4b1d
TAILSCALE_KEY url 20 70 tskey-auth- tskey-api- tskey-client- tskey-scim- tskey-
NGROK_TOKEN word 40 60 ak_
DEFINED_NETWORKING_TOKEN url 70 90 dnkey-
INTERCOM_TOKEN base64 50 80 dG9r
HUBSPOT_TOKEN url 36 40 pat-na1- pat-eu1- pat-na2- pat-ap1-
FRAMEIO_TOKEN url 60 70 fio-u-
OCTOPUS_DEPLOY_KEY upper 26 26 API-
ALIBABA_ACCESS_KEY alnum 12 24 LTAI
TENCENT_SECRET_ID alnum 32 36 AKID
YANDEX_KEY url 34 44 AQVN YCAJ YCN
ADOBE_SECRET hex 32 32 p8e- p8-
AGE_SECRET_KEY upper 56 62 AGE-SECRET-KEY-1 AGE-PLUGIN-
NKEY_SEED upper 56 56 SU SA SO
LAUNCHDARKLY_KEY url 36 36 sdk- mob- api-
STATSIG_KEY alnum 32 64 secret-
MAPBOX_TOKEN dotted 70 120 sk.ey
WUNDERGRAPH_KEY dotted 30 500 cosmo_
PICATIC_KEY alnum 32 32 sk_live_
SCALINGO_TOKEN url 46 50 tk-us- tk-eu-
UNKEY_KEY word 20 40 unkey_
SVIX_TOKEN dotted 24 60 testsk_ sk_svix_
TRIGGER_DEV_KEY alnum 20 40 tr_dev_ tr_prod_
CLERK_SECRET alnum 40 52 sk_live_ sk_test_
INNGEST_KEY hex 64 64 signkey-prod- signkey-test-
SCALEWAY_KEY upper 17 17 SCW
LOGFIRE_TOKEN word 40 60 pylf_v1_
AWS_SESSION_TOKEN base64 100 2400 IQoJb3JpZ2lu FwoGZXIvYXdz
GOOGLE_API_KEY url 38 80 AQ.Ab
GOOGLE_OAUTH_CODE url 60 90 4/0A
CURSOR_API_KEY hex 64 64 key_
FIRECRAWL_API_KEY hex 32 32 fc-
E2B_API_KEY hex 40 40 e2b_
RUNPOD_API_KEY alnum 40 60 rpa_
DAYTONA_API_KEY hex 60 68 dtn_
HELICONE_API_KEY url 24 60 sk-helicone-
WANDB_API_KEY word 60 100 wandb_v1_
CARTESIA_API_KEY alnum 20 30 sk_car_
BRAVE_API_KEY url 27 29 BSA
APIFY_TOKEN alnum 30 44 apify_api_
BROWSERBASE_API_KEY url 24 44 bb_live_
MEM0_API_KEY alnum 38 42 m0-
N8N_API_KEY dotted 32 400 n8n_api_
ALCHEMY_API_KEY alnum 28 34 alcht_
CLOSE_API_KEY dotted 45 45 api_
FLEETBASE_KEY alnum 20 20 flb_live_
FLEXPORT_TOKEN url 40 40 shltm_
PAGARME_KEY alnum 30 30 ak_live_
PHOTOROOM_KEY word 42 105 sk_pr_
PORTAINER_TOKEN base64 30 60 ptr_
ROOTLY_TOKEN hex 60 68 rootly_
UBIDOTS_TOKEN alnum 30 40 BBFF- BBUS-
FIGMA_TOKEN url 36 60 figp_
ROBINHOOD_KEY url 36 36 rh-api-
SALAD_CLOUD_KEY word 24 243 salad_cloud_
SETTLEMINT_TOKEN alnum 16 16 sm_aat_ sm_pat_ sm_sat_
TEAMWORK_TOKEN base64 40 120 tkn.v1_
STYTCH_SECRET base64 36 60 secret-live- secret-test-
PADDLE_KEY word 40 90 pdl_live_apikey_ pdl_sdbx_apikey_
POLAR_TOKEN alnum 36 64 polar_oat_ polar_pat_
MERCADO_PAGO_TOKEN url 55 90 APP_USR-
MOLLIE_KEY alnum 30 30 live_ test_
TRELLO_TOKEN hex 60 76 ATTA
AXIOM_TOKEN url 36 36 xaat- xapt-
MONGODB_ATLAS_SECRET url 38 60 mdb_sa_sk_
AIVEN_PASSWORD url 18 32 AVNS_
ELASTIC_KEY base64 40 120 essu_
ASTRA_DB_TOKEN any 80 120 AstraCS:
DATABRICKS_TOKEN hex 32 32 dose
BUILDKITE_TOKEN alnum 36 64 bkaj_ bkpt_
SOCKET_TOKEN url 36 90 sktsec_
DENO_TOKEN alnum 34 44 ddp_ ddo_
GITPOD_TOKEN dotted 30 100 gitpod_pat_
DBT_TOKEN base64 36 60 dbtc_ dbtu_ dbts_
SALESFORCE_REFRESH_TOKEN dotted 70 90 5Aep861
CALCOM_KEY hex 32 32 cal_live_
DUB_KEY alnum 24 32 dub_
RIOT_API_KEY url 36 36 RGAPI-
TELNYX_KEY word 40 56 KEY01
XPRV_KEY alnum 105 112 xprv
NOSTR_KEY lower 58 58 nsec1
WOOCOMMERCE_KEY hex 40 40 ck_ cs_
OPEN_VSX_TOKEN url 30 64 ovsxat_ ovsxp_
PACKAGIST_TOKEN alnum 40 90 packagist_uut_ packagist_orw_ packagist_oor_
UPCLOUD_TOKEN upper 24 30 ucat_
ADAFRUIT_IO_KEY alnum 28 28 aio_
INTRA_42_SECRET hex 64 64 s-s4t2ud- s-s4t2af-
TOKEN alnum 30 64 odt_
""")
