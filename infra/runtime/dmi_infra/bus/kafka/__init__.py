"""The bus on Apache Kafka. The Kafka client is imported in this package only."""

from dmi_infra.bus.kafka.bus import KafkaBus, open_kafka

__all__ = ["KafkaBus", "open_kafka"]
