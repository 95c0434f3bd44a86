"""The Decentralized Claims Protocol 1.0: how nodes prove by credentials whom they speak for."""
