"""What runs inside the sandbox. It imports nothing else of ours: nothing else of ours is there."""
