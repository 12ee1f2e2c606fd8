"""How an action is signed by its officer's own key: the server keeps it for minutes and sees no key."""
