package topologies

type linkTable struct{}

func (l *linkTable) at(from, to int) Link { return Link{} }
