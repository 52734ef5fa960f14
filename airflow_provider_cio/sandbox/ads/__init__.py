"""Ad platforms on loopback, with state: Meta, Google, Google Ads, TikTok, RudderStack and a receiver of webhooks."""

from airflow_provider_cio.sandbox.ads.server import AdSandbox

__all__ = ["AdSandbox"]
