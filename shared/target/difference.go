package target

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
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
	same := maps.Equal(s.sums, before.sums) && maps.EqualFunc(s.settings, before.settings, slices.Equal[[]string])
	if same && fmt.Sprint(s.err) == fmt.Sprint(before.err) {
		return nil
	}
	lines := fingerprint(s.sums, s.settings).Diff(fingerprint(before.sums, before.settings).Files)
	if more := len(lines) - mostReasons; more > 0 {
		lines = append(lines[:mostReasons], fmt.Sprintf("… and %d more", more))
	}
	if len(lines) == 0 || s.err != nil && !errors.Is(s.err, fs.ErrNotExist) { // not read to the end
		return []string{"changed: what can be read of it"}
	}
	return lines
}
