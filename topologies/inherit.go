package topologies

import (
	"fmt"
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
		if fault, ok := p.follow(chain, next); !known || !ok {
			if !known && last == n {
				fault = fmt.Sprintf("expected %s, found %s%s", what, quote(like), didYouMean(name, slices.Sorted(maps.Keys(named))))
			}
			if fault != "" {
				p.report(n.at("like"), n.label+": like", "%s", fault)
			}
			n.broken = true
			break
		}
		p.used[next.path] = true
		chain = append(chain, next)
	}
	n.take(chain[1:])
}

// follow tells whether a chain can go on to next, and if not the fault of its
// first table, if it is that table's. A cycle is the fault of its first in the file.
func (p *parser) follow(chain []*node, next *node) (string, bool) {
	first := chain[0]
	if len(chain) == maxChain {
		return fmt.Sprintf("expected at most %d tables, each like the next, found more", maxChain), false
	}
	if !slices.Contains(chain, next) {
		return "", true
	}
	if next != first {
		return "", false
	}
	var names []string
	for _, n := range chain {
		if p.lines.Line(n.at("like")) < p.lines.Line(first.at("like")) {
			return "", false
		}
		names = append(names, n.label)
	}
	return "expected no cycle of defaults, found " + strings.Join(append(names, first.label), " → "), false
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
