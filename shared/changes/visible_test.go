package changes

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

func mustReadDrift(t *testing.T, document string) *Plan {
	t.Helper()
	plan, err := ReadDrift(strings.NewReader(document), Limit{Bytes: 1 << 20})
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	if len(plan.Visible) != 64 || len(plan.VisibleDrift) != 64 {
		t.Fatalf("digests %q and %q", plan.Visible, plan.VisibleDrift)
	}
	return plan
}

func TestVisibleDigestsAreThoseOfWhatWouldChange(t *testing.T) {
	t.Parallel()
	base := mustReadDrift(t, everything)
	replace := func(old, new string) string {
		if strings.Count(everything, old) != 1 {
			t.Fatalf("%q is not in the plan once", old)
		}
		return strings.Replace(everything, old, new, 1)
	}
	for name, document := range map[string]string{
		"another time":      replace("2026-01-02T03:04:05Z", "2027-01-02T03:04:05Z"),
		"another version":   replace("1.11.4", "1.12.0"),
		"another reason":    replace("instance_count_unknown", "resource_config_unknown"),
		"other prior state": replace(`"prior_state": {"values": {}}`, `"prior_state": {"values": {"x": 1}}`),
		"an escape":         replace(`"t.created"`, `"t.\u0063reated"`),
		"another no-op":     replace(`"before": "a", "after": "a"`, `"before": "b", "after": "b"`),
		"a read more":       replace(`"resource_changes": [`, `"resource_changes": [{"address": "data.t.no", "change": {"actions": ["read"]}},`),
		"another check":     replace("It is down.", "It is up."),
		"what it was":       replace(`"actions": ["delete"], "before": {"x": 1}`, `"actions": ["delete"], "before": {"x": 2}`),
		"a null more":       replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": 1, "y": null}, "after_unknown"`),
	} {
		got := mustReadDrift(t, document)
		if got.Visible != base.Visible || got.VisibleDrift != base.VisibleDrift {
			t.Errorf("%s: the digests are others", name)
		}
	}
	if base.Visible == base.VisibleDrift {
		t.Error("drift makes no difference to VisibleDrift")
	}
	seen, seenDrift := map[string]string{base.Visible: "the same plan"}, map[string]string{base.VisibleDrift: "the same plan"}
	for name, document := range map[string]string{
		"another value":            replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": 2}, "after_unknown"`),
		"a value of another type":  replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": "1"}, "after_unknown"`),
		"another name":             replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"y": 1}, "after_unknown"`),
		"a value more":             replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": 1, "y": 2}, "after_unknown"`),
		"something known":          replace(`"after_unknown": {"id": true}`, `"after_unknown": {}`),
		"a mark":                   replace(`"after_unknown": {"id": true}`, `"after_unknown": {"id": true}, "after_sensitive": {"x": true}`),
		"another address":          replace(`"t.created"`, `"t.creates"`),
		"another previous address": replace(`"t.old"`, `"t.older"`),
		"another action":           replace(`["delete"]`, `["forget"]`),
		"a deposed object":         replace(`"t.deleted",`, `"t.deleted", "deposed": "abcd1234",`),
		"an import":                replace(`"after_unknown": {"id": true}`, `"after_unknown": {"id": true}, "importing": {"id": "x"}`),
		"another import":           replace(`"after_unknown": {"id": true}`, `"after_unknown": {"id": true}, "importing": {"id": "y"}`),
		"another output value":     replace(`"before": "a", "after": "b"`, `"before": "a", "after": "c"`),
		"another old output value": replace(`"before": "a", "after": "b"`, `"before": "c", "after": "b"`),
		"another output":           replace(`"url"`, `"uri"`),
		"an output change less":    replace(`"url": {"actions": ["update"]`, `"url": {"actions": ["no-op"]`),
		"an action invoked":        replace(`"checks"`, `"action_invocations": [{"address": "action.a.b"}], "checks"`),
		"another action invoked":   replace(`"checks"`, `"action_invocations": [{"address": "action.a.c"}], "checks"`),
	} {
		got := mustReadDrift(t, document)
		if other, ok := seen[got.Visible]; ok {
			t.Errorf("%s: Visible is that of %s", name, other)
		}
		if other, ok := seenDrift[got.VisibleDrift]; ok {
			t.Errorf("%s: VisibleDrift is that of %s", name, other)
		}
		seen[got.Visible], seenDrift[got.VisibleDrift] = name, name
	}
	drifted := mustReadDrift(t, replace(`"before": {"x": 1}, "after": {"x": 2}`, `"before": {"x": 1}, "after": {"x": 3}`))
	if drifted.Visible != base.Visible || drifted.VisibleDrift == base.VisibleDrift {
		t.Error("other drift: only VisibleDrift is another")
	}
	if plain := mustRead(t, everything); plain.Visible != "" || plain.VisibleDrift != "" {
		t.Error("Read computes what nobody asked for")
	}
}

// What providers count and time by themselves must not make each plan of one
// drift another one.
func TestVisibleDigestLeavesOutWhatChangesByItself(t *testing.T) {
	t.Parallel()
	plan := func(at string) string {
		return document(resourceChanges(
			change("db.a", `"actions":["delete","create"],"before":{"engine":"14","restorable":"`+at+`"},"after":{"engine":"16"},"after_unknown":{"restorable":true}`),
			change("db.b", `"actions":["delete"],"before":{"engine":"14","restorable":"`+at+`"},"after":null`),
			change("db.c", `"actions":["forget"],"before":{"restorable":"`+at+`"},"after":null`)),
			`"output_changes":{"at":{"actions":["update"],"before":"`+at+`","after_unknown":true}}`)
	}
	if mustReadDrift(t, plan("10:00")).Visible != mustReadDrift(t, plan("10:05")).Visible {
		t.Error("the digest is another five minutes later")
	}
	if mustReadDrift(t, plan("10:00")).Visible == mustReadDrift(t, strings.ReplaceAll(plan("10:00"), `"16"`, `"17"`)).Visible {
		t.Error("the digest is that of another version")
	}
}

// Nothing is cut: what a report has no room for counts, too.
func TestVisibleDigestSeesAllOfWhatIsLarge(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 3*maxValueText)
	plan := func(end, last string) *Plan {
		var members []string
		for i := range 2 * maxAttributes {
			members = append(members, fmt.Sprintf(`"m%04d":%d`, i, i))
		}
		return mustReadDrift(t, document(resourceChanges(change("t.a",
			`"actions":["create"],"before":null,"after":{"long":"`+long+end+`",`+strings.Join(members, ",")+`,"z":"`+last+`"}`))))
	}
	seen := map[string]bool{}
	for _, p := range []*Plan{plan("a", "a"), plan("b", "a"), plan("a", "b")} {
		if seen[p.Visible] {
			t.Error("two plans that differ have the same digest")
		}
		seen[p.Visible] = true
	}
}

// Values that look like what stands in the place of others are not taken for it.
func TestVisibleDigestKeepsPlaceholdersAndValuesApart(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, members := range []string{
		`"after":{"x":"(sensitive value)"}`, `"after":{"x":"!"}`, `"after":{"x":"?"}`, `"after":{"x":"-"}`,
		`"after":{"x":"s"},"after_sensitive":{"x":true}`, `"after":{},"after_unknown":{"x":true}`, `"after":{}`,
		`"after":{"x":[{"y":"!"}]}`, `"after":{"x":[{"y":"s"}]},"after_sensitive":{"x":[{"y":true}]}`,
		`"after":{"x":["a","b"]}`, `"after":{"x":["a,b"]}`, `"after":{"x,y":"a"}`, `"after":{"x":{"y":"a"}}`, `"after":{"x":"a\ny=>\"b\""}`,
	} {
		got := mustReadDrift(t, document(resourceChanges(change("t.a", `"actions":["create"],"before":null,`+members)))).Visible
		if other, ok := seen[got]; ok {
			t.Errorf("%s has the digest of %s", members, other)
		}
		seen[got] = members
	}
}

// driftMaker makes random plans in which every value that matters has a name of
// its own: "new-N" what is shown, "s3cr3t-N" what is not.
type driftMaker struct {
	*rand.Rand
	n       int
	visible []string // new values that are shown
	secrets []string // new values that are not, of attributes that were another before
}

func (m *driftMaker) name(kind string) string {
	m.n++
	return fmt.Sprintf("%s-%d-", kind, m.n)
}

// attribute is a before, an after, what of it is unknown, and what is sensitive.
func (m *driftMaker) attribute(depth int) (before, after, unknown, marks any) {
	shown := func() string {
		s := m.name("new")
		m.visible = append(m.visible, s)
		return s
	}
	secret := func() string {
		s := m.name("s3cr3t")
		m.secrets = append(m.secrets, s)
		return s
	}
	kind := m.IntN(12)
	if depth == 0 {
		kind = m.IntN(6)
	}
	switch kind {
	case 0: // the same
		v := randomValue(m.Rand, 2)
		return v, v, false, false
	case 1:
		return m.name("old"), shown(), false, false
	case 2:
		return nil, shown(), false, false
	case 3:
		return m.name("s3cr3t"), secret(), false, true
	case 4: // a secret that stays
		s := m.name("s3cr3t")
		return s, s, false, true
	case 5:
		return m.name("old"), nil, true, false
	case 6: // a copy of a secret, without its mark
		s := secret()
		return map[string]any{"password": m.name("s3cr3t"), "url": "x"},
			map[string]any{"password": s, "url": "db://user:" + s + "@host", "by": map[string]any{s: "1", "b" + s: 2}}, false, map[string]any{"password": true}
	case 7: // a set whose order changes
		a, b, c := m.name("el"), m.name("el"), shown()
		return []any{a, b}, []any{b, c, a}, false, false
	case 8: // blocks with a secret in each
		s := secret()
		return []any{map[string]any{"a": m.name("old"), "p": m.name("s3cr3t")}}, []any{map[string]any{"a": shown(), "p": s}},
			false, []any{map[string]any{"p": true}}
	case 9: // another shape, with copies of a secret in it
		s := secret()
		return map[string]any{"password": m.name("s3cr3t"), "x": m.name("old")},
			map[string]any{"password": s, "x": map[string]any{s: 1, "new": shown(), "b" + s: []any{s, map[string]any{}}, "n": nil, "u": true}},
			map[string]any{"x": map[string]any{"u": true, "v": true}}, map[string]any{"password": true}
	default:
		from, to, un, ma := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
		for range 1 + m.IntN(3) {
			name := m.name("attr")
			from[name], to[name], un[name], ma[name] = m.attribute(depth - 1)
		}
		return from, to, un, ma
	}
}

// elements are those of resource_changes or resource_drift, each written apart.
func (m *driftMaker) elements(prefix string) (all []any) {
	for range 1 + m.IntN(5) {
		before, after, unknown, marks := map[string]any{}, map[string]any{}, map[string]any{}, map[string]any{}
		for range 1 + m.IntN(5) {
			name := m.name("attr")
			before[name], after[name], unknown[name], marks[name] = m.attribute(2)
		}
		all = append(all, map[string]any{
			"address": prefix + m.name("addr"), "mode": "managed", "type": "t",
			"change": map[string]any{"actions": []any{"update"}, "before": before, "after": after, "after_unknown": unknown, "before_sensitive": marks, "after_sensitive": marks},
		})
	}
	return all
}

// TestPlansOfTheSameDriftHaveTheSameVisibleDigests looks at random drift in
// random spelling, in another order and with other secrets; then one thing that
// is shown is another, or one secret is what it was before.
func TestPlansOfTheSameDriftHaveTheSameVisibleDigests(t *testing.T) {
	t.Parallel()
	for seed := range uint64(120) {
		m := &driftMaker{Rand: rand.New(rand.NewPCG(seed, 7))}
		changes, drift := m.elements("t."), m.elements("t.")
		write := func() string {
			m.Shuffle(len(changes), func(i, j int) { changes[i], changes[j] = changes[j], changes[i] })
			m.Shuffle(len(drift), func(i, j int) { drift[i], drift[j] = drift[j], drift[i] })
			return string(writeRandomly(m.Rand, map[string]any{"format_version": "1.2", "resource_changes": changes, "resource_drift": drift,
				"timestamp": fmt.Sprint("2026-01-02T03:04:", m.IntN(60))}))
		}
		plainly := func() string {
			b, err := json.Marshal(map[string]any{"format_version": "1.2", "resource_changes": changes, "resource_drift": drift})
			if err != nil {
				t.Fatal(err)
			}
			return string(b)
		}
		base := mustReadDrift(t, write())
		same := func(what, document string) {
			t.Helper()
			if got := mustReadDrift(t, document); got.Visible != base.Visible || got.VisibleDrift != base.VisibleDrift {
				t.Fatalf("seed %d, %s: the digests are others:\n%s", seed, what, document)
			}
		}
		other := func(what, document string) {
			t.Helper()
			if got := mustReadDrift(t, document); got.VisibleDrift == base.VisibleDrift {
				t.Fatalf("seed %d, %s: the digest is the same:\n%s", seed, what, document)
			}
		}
		same("written again", write())
		text := plainly()
		same("written plainly", text)
		for _, secret := range []string{"zzzzz-", "00000-", "a longer one, with \\\"quotes\\\" "} {
			same("other secrets", strings.ReplaceAll(text, "s3cr3t-", secret))
		}
		if len(m.visible) > 0 {
			value := m.visible[m.IntN(len(m.visible))]
			other("another value", strings.ReplaceAll(text, value, "another"))
		}
		if len(m.secrets) > 0 {
			secret := m.secrets[m.IntN(len(m.secrets))]
			same("another secret", strings.ReplaceAll(text, secret, "an0th3r-s3cr3t-"))
		}
		other("another address", strings.Replace(text, "t.addr-", "t.bddr-", 1))
		other("another action", strings.Replace(text, `"update"`, `"create"`, 1))
		if name := m.changed(changes); name != "" {
			other("another attribute", strings.ReplaceAll(text, name, "another"))
		}
	}
}

// changed is the name of an attribute that changes; "" when there is none.
func (m *driftMaker) changed(elements []any) string {
	after := elements[0].(map[string]any)["change"].(map[string]any)
	before := after["before"].(map[string]any)
	for name, value := range after["after"].(map[string]any) {
		if fmt.Sprint(value) != fmt.Sprint(before[name]) {
			return name
		}
	}
	return ""
}

func TestVisibleDigestSeesThatASecretChangesAndNotWhatItIs(t *testing.T) {
	t.Parallel()
	plan := func(old, new string) string {
		return mustReadDrift(t, document(resourceChanges(change("t.a", `"actions":["update"],"before":{"pw":"`+old+`","x":1},"after":{"pw":"`+new+`","x":2},"before_sensitive":{"pw":true},"after_sensitive":{"pw":true}`)))).Visible
	}
	if plan("hunter2", "hunter3") != plan("hunter2", "correct horse") {
		t.Error("a digest that may be stored depends on a password")
	}
	if plan("hunter2", "hunter3") == plan("hunter2", "hunter2") {
		t.Error("whether a password changes makes no difference")
	}
}
