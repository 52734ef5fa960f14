# Airflow with this provider: the image of every service in docker-compose.yaml.
ARG AIRFLOW_VERSION=3.3.2
FROM apache/airflow:${AIRFLOW_VERSION}-python3.12
COPY --chown=airflow:root pyproject.toml README.md LICENSE constraints.txt /opt/provider/
COPY --chown=airflow:root airflow_provider_cio /opt/provider/airflow_provider_cio
COPY --chown=airflow:root dags /opt/provider/dags
COPY --chown=airflow:root sql /opt/provider/sql
RUN pip install --no-cache-dir --constraint /opt/provider/constraints.txt "/opt/provider[celery,receiver,sandbox]" "psycopg[binary]"
