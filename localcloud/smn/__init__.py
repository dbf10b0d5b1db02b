"""Simple Message Notification: topics, subscriptions, and an outbox of messages that are not delivered."""
