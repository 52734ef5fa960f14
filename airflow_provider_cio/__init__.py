"""Apache Airflow provider that connects Amazon Redshift and Customer.io."""

__version__ = "0.1.0"
