package schema

// Wandering returns the acceptor that expects no layout.
func (a *Acceptor) Wandering() *Acceptor {
	return &Acceptor{root: a.root, again: a.again}
}

// Straight returns the acceptor that knows nothing but the layout.
func (a *Acceptor) Straight() *Acceptor {
	return &Acceptor{root: &node{slot: a.root.slot}, layout: a.layout, again: a.again}
}
