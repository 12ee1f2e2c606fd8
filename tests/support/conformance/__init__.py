"""Put the same questions to both engines, and write down the answers in words that both can share."""
