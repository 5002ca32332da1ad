package target

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

// mostReasons is how many lines a Change shows of what differs.
const mostReasons = 5

// side is what one checkout has of a target, for comparing.
type side struct {
	sums     map[string]sum
	settings map[string][]string
	err      error // of reading: the rest is what could be read
}

func sideOf(r resolver, read *files) side {
	t, err := r.target()
	if err != nil {
		return side{err: err}
	}
	tool, version := "terraform", t.Settings.TerraformVersion
	if t.Settings.OpenTofuVersion != "" {
		tool, version = "tofu", t.Settings.OpenTofuVersion
	}
	sums, err := read.of(t)
	return side{sums: sums, settings: t.settings(tool, version), err: err}
}

// differences say what differs from before, in a few lines; nil when nothing does.
func (s side) differences(before side) []string {
	now, then := apart(s.sums, before.sums, func(a, b sum) bool { return a == b })
	set, was := apart(s.settings, before.settings, slices.Equal[[]string])
	if len(now)+len(then)+len(set)+len(was) == 0 && fmt.Sprint(s.err) == fmt.Sprint(before.err) {
		return nil
	}
	lines := fingerprint(now, set).Diff(fingerprint(then, was).Files)
	if more := len(lines) - mostReasons; more > 0 {
		lines = append(lines[:mostReasons], fmt.Sprintf("… and %d more", more))
	}
	if len(lines) == 0 || s.err != nil && !errors.Is(s.err, fs.ErrNotExist) { // not read to the end
		return []string{"changed: what can be read of it"}
	}
	return lines
}

// apart are the entries of two maps that the other does not have.
func apart[V any](a, b map[string]V, same func(a, b V) bool) (onlyA, onlyB map[string]V) {
	onlyA, onlyB = make(map[string]V), make(map[string]V)
	for name, v := range a {
		if other, is := b[name]; !is || !same(v, other) {
			onlyA[name] = v
		}
	}
	for name, v := range b {
		if other, is := a[name]; !is || !same(v, other) {
			onlyB[name] = v
		}
	}
	return onlyA, onlyB
}
