package changes

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// Whatever the values, and wherever the marks on either side: no text that is
// kept holds a value that either side marks at its place.
func TestNothingMarkedIsEverKept(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	shown := 0
	for i := range 1500 {
		g := &generator{rng: rng}
		before := g.object(3)
		after := g.vary(before)
		var beforeMarks, afterMarks any = g.marks(before), g.marks(after)
		secrets := map[string]bool{}
		for _, value := range []any{before, after} {
			for _, marks := range []any{beforeMarks, afterMarks} {
				collectMarked(value, marks, secrets)
			}
		}
		c := map[string]any{
			"actions": [][]string{{"update"}, {"delete", "create"}}[rng.IntN(2)],
			"before":  before, "after": after, "after_unknown": g.unknowns(after),
			"before_sensitive": beforeMarks, "after_sensitive": afterMarks,
			"replace_paths": g.paths(before),
		}
		delete(c, []string{"before", "after", "after_unknown", "before_sensitive", "-", "-", "-", "-"}[rng.IntN(8)])
		if c["before_sensitive"] == nil {
			secrets = map[string]bool{}
			for _, value := range []any{before, after} {
				collectMarked(value, afterMarks, secrets)
			}
		}
		members, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		text := string(members[1 : len(members)-1])
		plan := mustRead(t, document(resourceChanges(change("t.a", text)), `"output_changes":{"o":`+string(members)+`}`,
			`"resource_drift":[`+change("t.b", text)+`]`, `"deferred_changes":[{"resource_change":`+change("t.c", text)+`}]`))
		plan.Digest = ""
		kept := fmt.Sprintf("%+v", plan)
		for secret := range secrets {
			if strings.Contains(kept, secret) {
				t.Fatalf("round %d: kept %s of %s\n%s", i, secret, members, kept)
			}
		}
		shown += len(plan.Resources[0].Attributes)
	}
	if shown < 1500 {
		t.Errorf("told %d attributes in all", shown)
	}
}

// generator makes values whose every string is found once.
type generator struct {
	rng  *rand.Rand
	made int
}

func (g *generator) text() string {
	g.made++
	return fmt.Sprintf("<v%04d>", g.made)
}

func (g *generator) value(depth int) any {
	switch k := g.rng.IntN(8); {
	case k == 0:
		return nil
	case k == 1 && depth > 0, k == 2 && depth > 0:
		list := []any{}
		for range g.rng.IntN(4) {
			list = append(list, g.value(depth-1))
		}
		return list
	case k <= 4 && depth > 0:
		return g.object(depth - 1)
	default:
		return g.text()
	}
}

func (g *generator) object(depth int) map[string]any {
	object := map[string]any{}
	for range g.rng.IntN(5) {
		object[string(rune('a'+g.rng.IntN(6)))] = g.value(depth)
	}
	return object
}

// vary makes the value after out of the one before.
func (g *generator) vary(v any) any {
	if g.rng.IntN(8) == 0 {
		return g.value(2)
	}
	switch v := v.(type) {
	case map[string]any:
		object := map[string]any{}
		for name, e := range v {
			if g.rng.IntN(6) > 0 {
				object[name] = g.vary(e)
			}
		}
		return object
	case []any:
		list := []any{}
		for _, e := range v {
			switch g.rng.IntN(6) {
			case 0:
			case 1:
				list = append(list, g.value(1), g.vary(e))
			default:
				list = append(list, g.vary(e))
			}
		}
		return list
	case string:
		if g.rng.IntN(2) == 0 {
			return g.text()
		}
	}
	return v
}

// marks marks some of a value.
func (g *generator) marks(v any) any {
	if g.rng.IntN(7) == 0 {
		return true
	}
	switch v := v.(type) {
	case map[string]any:
		object := map[string]any{}
		for name, e := range v {
			object[name] = g.marks(e)
		}
		return object
	case []any:
		list := []any{}
		for _, e := range v {
			list = append(list, g.marks(e))
		}
		return list
	}
	return false
}

func (g *generator) unknowns(v any) any {
	if g.rng.IntN(3) > 0 {
		return map[string]any{}
	}
	return g.marks(v)
}

// paths are some paths into a value, with the values in it as steps, too.
func (g *generator) paths(v any) [][]any {
	var paths [][]any
	for range g.rng.IntN(3) {
		var path []any
		for at := v; ; {
			switch v := at.(type) {
			case map[string]any:
				for name, e := range v {
					path, at = append(path, name), e
					break
				}
				if len(v) > 0 {
					continue
				}
			case []any:
				if len(v) > 0 {
					path, at = append(path, 0), v[0]
					if g.rng.IntN(2) == 0 {
						path[len(path)-1] = at
					}
					continue
				}
			}
			break
		}
		paths = append(paths, path)
	}
	return paths
}

// collectMarked adds the strings of value whose place is marked.
func collectMarked(value, marks any, secrets map[string]bool) {
	switch m := marks.(type) {
	case bool:
		if m {
			collectStrings(value, secrets)
		}
	case map[string]any:
		if v, ok := value.(map[string]any); ok {
			for name, e := range v {
				collectMarked(e, m[name], secrets)
			}
		}
	case []any:
		if v, ok := value.([]any); ok {
			for i, e := range v {
				if i < len(m) {
					collectMarked(e, m[i], secrets)
				}
			}
		}
	}
}

func collectStrings(value any, secrets map[string]bool) {
	switch v := value.(type) {
	case string:
		secrets[v] = true
	case map[string]any:
		for _, e := range v {
			collectStrings(e, secrets)
		}
	case []any:
		for _, e := range v {
			collectStrings(e, secrets)
		}
	}
}

func TestManySecretsHideOnlyWhatHoldsOne(t *testing.T) {
	t.Parallel()
	var secrets []string
	for i := range 5000 {
		secrets = append(secrets, fmt.Sprintf(`"s%04d":"secret-%04d"`, i, i))
	}
	plan := mustRead(t, document(resourceChanges(change("t.a", fmt.Sprintf(
		`"actions":["update"],"before":{"image":"app:1","url":"x"},"after":{"image":"app:2","url":"https://secret-4999@db","s":{%s}},"before_sensitive":{},"after_sensitive":{"s":true}`, strings.Join(secrets, ","))))))
	kept := fmt.Sprintf("%+v", plan)
	if strings.Contains(kept, "secret-") || !strings.Contains(kept, "app:2") || plan.Resources[0].TooManySecrets {
		t.Errorf("kept %s", kept)
	}
}

func TestSecretsThatTakeTooLongToFindHideEverythingAndSaySo(t *testing.T) {
	t.Parallel()
	var secrets []string
	for i := range 3000 {
		secrets = append(secrets, fmt.Sprintf(`"s%04d":"aaaaaa%04d"`, i, i))
	}
	plan := mustRead(t, document(resourceChanges(change("t.a", fmt.Sprintf(
		`"actions":["create"],"before":null,"after":{"long":"%s","z":"plain text","s":{%s}},"after_sensitive":{"s":true}`, strings.Repeat("a", 6000), strings.Join(secrets, ","))))))
	r := plan.Resources[0]
	if kept := fmt.Sprintf("%+v", plan); strings.Contains(kept, "plain text") || !r.TooManySecrets {
		t.Errorf("kept %.2000s", kept)
	}
}
