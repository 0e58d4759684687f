"""For calls that fail or hang: circuit breaker, single flight, priority semaphore, TTL cache, deadlines."""
