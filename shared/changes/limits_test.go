package changes

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes/changestest"
)

// repeat reads text n times over.
type repeat struct {
	text string
	n    int
	rest string
}

func (r *repeat) Read(p []byte) (int, error) {
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	for n < len(p) && r.n > 0 {
		r.n--
		m := copy(p[n:], r.text)
		n, r.rest = n+m, r.text[m:]
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// around reads a document with n times text in it.
func around(before, text string, n int, after string) io.Reader {
	return io.MultiReader(strings.NewReader(before), &repeat{text: text, n: n}, strings.NewReader(after))
}

func TestReadRefusesWhatIsTooLargeToHold(t *testing.T) {
	t.Parallel()
	const (
		head   = `{"format_version":"1.2","resource_changes":[`
		inside = head + `{"address":"t.ok","change":{"actions":["read"]}},{"address":"t.big","change":{"actions":["create"],"after":`
		mebi   = 1 << 20
	)
	x := strings.Repeat("x", mebi)
	for _, c := range []struct {
		name string
		r    io.Reader
		want string
	}{
		{"a string in a change", around(inside+`"`, x, 65, `"}}]}`), "element 1 (t.big): it is larger than 64 MiB"},
		{"a string that never ends", around(inside+`"`, x, 1<<10, ``), "element 1 (t.big): it is larger than 64 MiB"},
		{"whitespace in a change", around(inside, strings.Repeat(" ", mebi), 65, `1}}]}`), "element 1 (t.big): it is larger than 64 MiB"},
		{"a string in what is skipped", around(`{"prior_state":{"x":"`, x, 65, `"}}`), "it is larger than 64 MiB"},
		{"a name in what is skipped", around(`{"prior_state":{"`, x, 65, `":1}}`), "it is larger than 64 MiB"},
		{"the name of a member", around(`{"`, x, 65, `":1}`), "it is larger than 64 MiB"},
		{"values in a change", around(inside+"[0", ",0", maxValueNodes, `]}}]}`), "element 1 (t.big): it holds more than 1048576 values"},
		{"objects in a change", around(inside+"[0", ",{}", maxValueNodes, `]}}]}`), "element 1 (t.big): it holds more than 1048576 values"},
		{"depth in a change", around(inside, "[", maxValueDepth, strings.Repeat("]", maxValueDepth)+`}}]}`), "element 1 (t.big): it is nested deeper than 256 levels"},
		{"depth without end in a change", around(inside, `{"a":`, 1<<30, ``), "element 1 (t.big): invalid JSON"},
		{"depth in what is skipped", around(`{"prior_state":`, `[`, 20_000, strings.Repeat("]", 20_000)+"}"), "invalid JSON"},
		{"depth without end in what is skipped", around(`{"prior_state":`, `[`, 1<<30, ``), "invalid JSON"},
		{"depth of the document", around(``, `[`, 1<<30, ``), "it is not an object"},
		{"a string in a provisioner", around(`{"configuration":{"root_module":{"resources":[{"provisioners":"`, x, 65, `"}]}}}`), "configuration: it is larger than 64 MiB"},
		{"settings of a provider", around(`{"configuration":{"provider_config":{"aws":[0`, ",0", maxValueNodes, `]}}}`), "configuration: it holds more than 1048576 values"},
		{"members in what is skipped", &members{n: 2 * maxMembers}, "an object has more than 1048576 members"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			plan, err := Read(c.r, Limit{Bytes: 1 << 20})
			if err == nil {
				t.Fatalf("read as %+v", plan.Counts)
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %q, want it to say %q", err, c.want)
			}
		})
	}
}

// members reads the beginning of a plan whose prior state has n different members.
type members struct {
	n    int
	rest string
	done int
}

func (m *members) Read(p []byte) (int, error) {
	if m.rest == "" {
		switch {
		case m.done == 0:
			m.rest = `{"prior_state":{"0":0`
		case m.done == m.n:
			return 0, io.EOF
		default:
			m.rest = `,"` + strconv.Itoa(m.done) + `":0`
		}
		m.done++
	}
	n := copy(p, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

func TestReadTakesWhatIsJustNotTooLarge(t *testing.T) {
	t.Parallel()
	// The change itself is nested twice already.
	deep := strings.Repeat("[", maxValueDepth-2) + strings.Repeat("]", maxValueDepth-2)
	plan := mustRead(t, document(resourceChanges(change("t.deep", `"actions":["create"],"after":`+deep))))
	if plan.Counts.Create != 1 {
		t.Errorf("read as %+v", plan.Counts)
	}
	large := strings.Repeat("x", 20<<20)
	plan = mustRead(t, document(resourceChanges(change("t.large", `"actions":["update"],"before":{"a":"b`+large+`"},"after":{"a":"`+large+`"}`))))
	a := plan.Resources[0].Attributes[0]
	if len(a.New.Text) != maxValueText || a.New.Cut != len(large)-maxValueText {
		t.Errorf("kept %d bytes and cut %d", len(a.New.Text), a.New.Cut)
	}
}

func TestReadRefusesMoreTypesThanAnyPlanHas(t *testing.T) {
	t.Parallel()
	var elements []string
	for i := range maxTypes + 1 {
		elements = append(elements, change(fmt.Sprintf("type%d.a", i), `"actions":["create"]`))
	}
	if _, err := Read(strings.NewReader(document(resourceChanges(elements...))), Limit{}); err == nil || !strings.Contains(err.Error(), "more than 10000 resource types") {
		t.Errorf("error is %v", err)
	}
	if plan := mustRead(t, document(resourceChanges(elements[:maxTypes]...))); len(plan.ByType) != maxTypes {
		t.Errorf("told %d types", len(plan.ByType))
	}
}

// Memory must not grow with the number of changes: what a plan of many changes
// leaves behind is what a plan of few does.
func TestReadKeepsNoMoreThanItsLimit(t *testing.T) {
	limit := Limit{Bytes: 256 << 10}
	held := func(n int) uint64 {
		r, w := io.Pipe()
		go func() { w.CloseWithError(changestest.WritePlan(w, n)) }()
		plan, err := Read(r, limit)
		if err != nil {
			t.Fatal(err)
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		if kept := len(plan.Resources); kept == 0 || kept+plan.Omitted != n*8/10 {
			t.Errorf("kept %d of %d changes and omitted %d", kept, n, plan.Omitted)
		}
		runtime.KeepAlive(plan)
		return m.HeapAlloc
	}
	few, many := held(2_000), held(20_000)
	if many > few+uint64(limit.Bytes)/2 {
		t.Errorf("a plan of 20,000 changes holds %d bytes, one of 2,000 %d", many, few)
	}
}
