"""Simple Message Notification: topics, subscriptions, and an outbox in place of deliveries."""
