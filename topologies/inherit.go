package topologies

import (
	"maps"
	"slices"
	"strings"
)

// A node is a table of the file.
type node struct {
	path, label string
	values      map[string]any   // its own
	merged      map[string]any   // with those of what it is like
	from        map[string]*node // where inherited keys stand
	broken      bool             // what it is like is not known
}

func (n *node) at(key string) string {
	return strings.TrimPrefix(n.owner(key).path+"."+key, ".")
}

// owner returns the table that gives a key.
func (n *node) owner(key string) *node {
	if o, ok := n.from[key]; ok {
		return o
	}
	return n
}

// own are the keys that no other table inherits.
var own = []string{"name", "count", "address", "between", "from", "to", "like"}

const maxChain = 16 // of tables, each like the next

// inherit fills in what a node lacks from what it is like; what says what that may be.
func (p *parser) inherit(n *node, named map[string]*node, what string) {
	chain := []*node{n}
	for {
		last := chain[len(chain)-1]
		like, given := last.values["like"]
		if !given {
			break
		}
		name, _ := like.(string)
		next, known := named[name]
		if !known && last == n {
			p.report(n.at("like"), n.label+": like", "expected %s, found %s%s", what, quote(like), didYouMean(name, wordsOf(named)))
		}
		if !known || !p.follow(chain, next) {
			n.broken = true
			break
		}
		p.used[next.path] = true
		chain = append(chain, next)
	}
	n.take(chain[1:])
}

// follow tells whether a chain can go on to next. If not it reports that, a cycle
// at the first of its tables in the file only.
func (p *parser) follow(chain []*node, next *node) bool {
	first := chain[0]
	if len(chain) == maxChain {
		p.report(first.at("like"), first.label+": like", "expected at most %d tables, each like the next, found more", maxChain)
		return false
	}
	if !slices.Contains(chain, next) {
		return true
	}
	if next == first {
		p.reportCycle(chain)
	}
	return false
}

func (p *parser) reportCycle(cycle []*node) {
	first := cycle[0]
	var names []string
	for _, n := range cycle {
		if p.lines.Line(n.at("like")) < p.lines.Line(first.at("like")) {
			return
		}
		names = append(names, n.label)
	}
	p.report(first.at("like"), first.label+": like", "expected no cycle of defaults, found %s", strings.Join(append(names, first.label), " → "))
}

// take merges the keys of others into the node's, the nearest first.
func (n *node) take(others []*node) {
	n.merged, n.from = maps.Clone(n.values), make(map[string]*node)
	for _, o := range others {
		for k, v := range o.values {
			if _, ok := n.merged[k]; !ok && !slices.Contains(own, k) {
				n.merged[k], n.from[k] = v, o
			}
		}
	}
}

// linkLabel names a table of link i in messages, by its ends where it has any.
func (n *node) linkLabel(i int) string {
	var r linkEntry
	r.From, _ = n.values["from"].(string)
	r.To, _ = n.values["to"].(string)
	between, _ := n.values["between"].([]any)
	r.Between, _ = texts(between)
	return r.label(i)
}
