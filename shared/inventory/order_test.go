package inventory

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestOrder(t *testing.T) {
	all := map[Name][]Name{
		name("app@dev"):      names("cluster@dev", "database@dev"),
		name("cluster@dev"):  names("network@dev"),
		name("database@dev"): names("network@dev"),
		name("network@dev"):  names("dns@prod"),
	}
	nodes, err := Order(names("app@dev", "cluster@dev", "network@dev", "alone@dev"), all)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range nodes {
		line := n.String()
		for _, a := range n.After {
			line += " < " + a.String()
		}
		got = append(got, line)
	}
	want := []string{
		"alone in dev",
		"network in dev",
		"cluster in dev < network in dev",
		"app in dev < cluster in dev < network in dev", // by way of the database, which is not among them
	}
	if !slices.Equal(got, want) {
		t.Errorf("order:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestACircleIsShown(t *testing.T) {
	_, err := Order(names("start@dev", "a@dev"), map[Name][]Name{
		name("start@dev"): names("a@dev"), name("a@dev"): names("b@dev"), name("b@dev"): names("c@dev"), name("c@dev"): names("a@dev"),
	})
	var cycle *CycleError
	if !errors.As(err, &cycle) || !strings.Contains(err.Error(), "a in dev -> b in dev -> c in dev -> a in dev") {
		t.Errorf("%v", err)
	}
}
