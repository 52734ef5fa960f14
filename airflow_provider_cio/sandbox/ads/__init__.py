"""Ad platforms on loopback, with state: Meta, Google, TikTok, RudderStack and a receiver of signed webhooks."""

from airflow_provider_cio.sandbox.ads.server import AdSandbox

__all__ = ["AdSandbox"]
