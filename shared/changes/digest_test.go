package changes

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestDigestIsThatOfWhatWouldChange(t *testing.T) {
	t.Parallel()
	base := mustRead(t, everything).Digest
	if len(base) != 64 {
		t.Fatalf("digest is %q", base)
	}
	replace := func(old, new string) string {
		if strings.Count(everything, old) != 1 {
			t.Fatalf("%q is not in the plan once", old)
		}
		return strings.Replace(everything, old, new, 1)
	}
	compact := jsontext.Value(everything)
	if err := compact.Compact(); err != nil {
		t.Fatal(err)
	}
	var decoded any
	if err := json.Unmarshal([]byte(everything), &decoded); err != nil {
		t.Fatal(err)
	}
	sorted, err := json.Marshal(decoded) // with names sorted, and < > & escaped
	if err != nil {
		t.Fatal(err)
	}
	for name, document := range map[string]string{
		"no whitespace":      string(compact),
		"names sorted":       string(sorted),
		"another time":       replace("2026-01-02T03:04:05Z", "2027-01-02T03:04:05Z"),
		"another version":    replace("1.11.4", "1.12.0"),
		"other drift":        replace(`"before": {"x": 1}, "after": {"x": 2}`, `"before": {"x": 1}, "after": {"x": 3}`),
		"another reason":     replace("instance_count_unknown", "resource_config_unknown"),
		"other prior state":  replace(`"prior_state": {"values": {}}`, `"prior_state": {"values": {"x": 1}}`),
		"an escape":          replace(`"t.created"`, `"t.\u0063reated"`),
		"another mode":       replace(`"t.created", "mode": "managed"`, `"t.created", "mode": "data"`),
		"a mark":             replace(`"after_unknown": {"id": true}`, `"after_unknown": {"id": true}, "after_sensitive": {"x": true}`),
		"another no-op":      replace(`"before": "a", "after": "a"`, `"before": "b", "after": "b"`),
		"a no-op more":       replace(`"resource_changes": [`, `"resource_changes": [{"address": "t.no", "change": {"actions": ["no-op"]}},`),
		"a read more":        replace(`"resource_changes": [`, `"resource_changes": [{"address": "data.t.no", "change": {"actions": ["read"]}},`),
		"another check":      replace("It is down.", "It is up."),
		"a member not known": replace(`"mode": "managed", "type": "t", "change": {"actions": ["delete"]`, `"mode": "managed", "type": "t", "new": 1, "change": {"actions": ["delete"]`),
	} {
		if got := mustRead(t, document).Digest; got != base {
			t.Errorf("%s: the digest is another", name)
		}
	}
	seen := map[string]string{base: "the same plan"}
	for name, document := range map[string]string{
		"another value":            replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": 2}, "after_unknown"`),
		"a value of another type":  replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": "1"}, "after_unknown"`),
		"another name":             replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"y": 1}, "after_unknown"`),
		"a value more":             replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": 1, "y": null}, "after_unknown"`),
		"a number written longer":  replace(`"after": {"x": 1}, "after_unknown"`, `"after": {"x": 1.0}, "after_unknown"`),
		"another old value":        replace(`"actions": ["delete"], "before": {"x": 1}`, `"actions": ["delete"], "before": {"x": 2}`),
		"something known":          replace(`"after_unknown": {"id": true}`, `"after_unknown": {}`),
		"another address":          replace(`"t.created"`, `"t.creates"`),
		"another previous address": replace(`"t.old"`, `"t.older"`),
		"another action":           replace(`["delete"]`, `["forget"]`),
		"a deposed object":         replace(`"t.deleted",`, `"t.deleted", "deposed": "abcd1234",`),
		"a replace path":           replace(`"after_unknown": {"id": true}`, `"after_unknown": {"id": true}, "replace_paths": [["x"]]`),
		"an import":                replace(`"after_unknown": {"id": true}`, `"after_unknown": {"id": true}, "importing": {"id": "x"}`),
		"a change less":            replace(`"address": "t.deleted", "mode": "managed", "type": "t", "change": {"actions": ["delete"]`, `"address": "t.deleted", "mode": "managed", "type": "t", "change": {"actions": ["no-op"]`),
		"another output value":     replace(`"before": "a", "after": "b"`, `"before": "a", "after": "c"`),
		"another old output value": replace(`"before": "a", "after": "b"`, `"before": "b", "after": "b"`),
		"another output":           replace(`"url"`, `"uri"`),
		"an output change less":    replace(`"url": {"actions": ["update"]`, `"url": {"actions": ["no-op"]`),
		"an action invoked":        replace(`"checks"`, `"action_invocations": [{"address": "action.a.b"}], "checks"`),
		"another action invoked":   replace(`"checks"`, `"action_invocations": [{"address": "action.a.c"}], "checks"`),
	} {
		got := mustRead(t, document).Digest
		if other, ok := seen[got]; ok {
			t.Errorf("%s: the digest is that of %s", name, other)
		}
		seen[got] = name
	}
}

func TestDigestSeesSecrets(t *testing.T) {
	t.Parallel()
	plan := func(secret string) *Plan {
		return mustRead(t, document(resourceChanges(change("t.a",
			`"actions":["update"],"before":{"pw":"x"},"after":{"pw":"`+secret+`"},"before_sensitive":{"pw":true},"after_sensitive":{"pw":true}`))))
	}
	if plan("hunter2").Digest == plan("hunter3").Digest {
		t.Error("two plans that set another password have the same digest")
	}
}

// Values cannot slide from one part of a change, or from one change, to another.
func TestDigestKeepsPartsApart(t *testing.T) {
	t.Parallel()
	digest := func(elements ...string) string { return mustRead(t, document(resourceChanges(elements...))).Digest }
	a, b := change("t.a", `"actions":["create"],"after":1`), change("t.b", `"actions":["create"],"after":1`)
	seen := map[string]bool{}
	for _, d := range []string{
		digest(),
		digest(a), digest(b), digest(a, b), digest(a, a),
		digest(change("t.a", `"actions":["create"],"before":1`)),
		digest(change("t.a", `"actions":["create"],"after_unknown":1`)),
		digest(change("t.a", `"actions":["create"],"replace_paths":1`)),
		digest(change("t.a", `"actions":["create"],"after":"1"`)),
		digest(change("t.a", `"actions":["create"],"after":[1]`)),
		digest(change(`t.a",null,null,["create"],null,1,null,null,null]["t.a`, `"actions":["create"],"after":1`)),
	} {
		if seen[d] {
			t.Errorf("two plans have the digest %s", d)
		}
		seen[d] = true
	}
}

func TestCanonicalFormIsThatOfTheValue(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	canonical := func(text []byte) string {
		t.Helper()
		if !jsontext.Value(text).IsValid() {
			t.Fatalf("made %s", text)
		}
		var tr tree
		if err := tr.parse(text); err != nil {
			t.Fatal(err)
		}
		return string(tr.appendCanonical(nil, 0))
	}
	for range 500 {
		value := randomValue(rng, 4)
		written := canonical(writeRandomly(rng, value))
		if again := canonical(writeRandomly(rng, value)); written != again {
			t.Fatalf("the same value is\n%s\nand\n%s", written, again)
		}
		if again := canonical([]byte(written)); written != again {
			t.Fatalf("not canonical:\n%s\n%s", written, again)
		}
		var decoded, want any
		if err := json.Unmarshal([]byte(written), &decoded); err != nil {
			t.Fatal(err)
		}
		plain, _ := json.Marshal(value)
		if err := json.Unmarshal(plain, &want); err != nil {
			t.Fatal(err)
		}
		if a, b := fmt.Sprint(decoded), fmt.Sprint(want); a != b {
			t.Fatalf("the value changed from\n%s\nto\n%s", b, a)
		}
	}
}

func randomValue(rng *rand.Rand, depth int) any {
	kind := rng.IntN(7)
	if depth == 0 {
		kind = rng.IntN(5)
	}
	switch kind {
	case 0:
		return nil
	case 1:
		return rng.IntN(2) == 0
	case 2:
		return rng.IntN(1000)
	case 3, 4:
		return randomText(rng)
	case 5:
		list := []any{}
		for range rng.IntN(5) {
			list = append(list, randomValue(rng, depth-1))
		}
		return list
	default:
		object := map[string]any{}
		for range rng.IntN(20) {
			object[randomText(rng)] = randomValue(rng, depth-1)
		}
		return object
	}
}

func randomText(rng *rand.Rand) string {
	var b strings.Builder
	for range rng.IntN(5) {
		b.WriteString([]string{"a", "b", "Z", "\"", "\\", "<", "\n", "\x00", "é", "😀", "\u2028", "/"}[rng.IntN(12)])
	}
	return b.String()
}

// writeRandomly writes a value with its names in some order, whitespace here
// and there, and characters escaped or not.
func writeRandomly(rng *rand.Rand, value any) []byte {
	var b bytes.Buffer
	space := func() { b.WriteString([]string{"", "", " ", "\n\t"}[rng.IntN(4)]) }
	text := func(s string) {
		b.WriteByte('"')
		for _, r := range s {
			switch {
			case rng.IntN(3) == 0 && r > 0xffff:
				r -= 0x10000
				fmt.Fprintf(&b, `\u%04X\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
			case r < ' ' || r == '"' || r == '\\' || rng.IntN(3) == 0 && r <= 0xffff:
				fmt.Fprintf(&b, `\u%04x`, r)
			default:
				b.WriteRune(r)
			}
		}
		b.WriteByte('"')
	}
	var write func(v any)
	write = func(v any) {
		space()
		switch v := v.(type) {
		case string:
			text(v)
		case []any:
			b.WriteByte('[')
			for i, e := range v {
				if i > 0 {
					b.WriteByte(',')
				}
				write(e)
			}
			space()
			b.WriteByte(']')
		case map[string]any:
			b.WriteByte('{')
			first := true
			for name, e := range v { // in some order
				if !first {
					b.WriteByte(',')
				}
				first = false
				space()
				text(name)
				space()
				b.WriteByte(':')
				write(e)
			}
			space()
			b.WriteByte('}')
		default:
			fmt.Fprint(&b, map[any]string{nil: "null"}[v])
			if v != nil {
				fmt.Fprint(&b, v)
			}
		}
		space()
	}
	write(value)
	return bytes.TrimSpace(b.Bytes())
}
