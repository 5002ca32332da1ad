package planstore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/terraform-gitops/gitops/shared/planstore/storage"
	"github.com/terraform-gitops/gitops/shared/planstore/storetest"

	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/approvals"
	"github.com/terraform-gitops/gitops/shared/changes"
)

func TestSealIsOfTheBencodedContent(t *testing.T) {
	t.Parallel()
	sum, err := seal(map[string]any{
		"pk": "plan#a", "sk": "not in it", "version": json.Number("1"), "counts": map[string]any{},
		"é": map[string]any{"b": "x", "a": json.Number("-2")},
	})
	must(t, err)
	want := sha256.Sum256([]byte("d6:countsde2:pk6:plan#a7:versioni1e2:éd1:ai-2e1:b1:xee"))
	if sum != hex.EncodeToString(want[:]) {
		t.Errorf("seal %s, want %x", sum, want)
	}
	for _, value := range []any{1, true, nil, 1.5, json.Number("1.0"), json.Number("01"), json.Number("-0"), json.Number("1e3"), json.Number(""), []any{}} {
		if _, err := seal(map[string]any{"x": map[string]any{"y": value}}); err == nil {
			t.Errorf("%#v was sealed", value)
		}
	}
}

// anotherID is the ID of a record.
const anotherID = commitB + "#2025-03-01T11:00:00.124456789Z#99.1#cc7dfa0e294500595c2dc7219d6b4225e947ea09edbfdf15334d3807bba2a15e"

// Records in tables outlive the code: a seal that comes out otherwise would
// call them all altered. Then recordVersion must change, too.
func TestSealOfAVersionNeverChanges(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version      int
		dependencies []Dependency
		modules      string
		targets      []string
		invoke       int
		equalTo      []string
		seal         string
	}{
		{1, nil, "", nil, 0, nil, "cc7dfa0e294500595c2dc7219d6b4225e947ea09edbfdf15334d3807bba2a15e"},
		{2, []Dependency{{"network", "prod", StatePosition{"N", 7}}}, "", nil, 0, nil, "aec01ab3cb3da664083358daaab31b7af96d8f77d81db0afe8fbadd874a1b9df"},
		{3, []Dependency{{"network", "prod", StatePosition{"N", 7}}}, strings.Repeat("e2", 32), nil, 0, nil, "e8d7c4a584e1bc8c784be7400a25f8a9e09ec35c1d48d9e4ae4be70f2662e52d"},
		{3, nil, "", []string{"a.b", "c.d"}, 0, nil, "dbd6d76979f3519fa6d42a7b7b2705ee8b710cf512bfe5029f7a73bd8bfd53a6"},
		{4, nil, "", nil, 2, nil, "bb6aa8802797032f826b290aba730f55e84bd90f836a7d237357d0eecd263c7f"},
		{5, nil, "", nil, 0, []string{anotherID}, "464abeeb25803ba196c4ed387efbfaa1051ead2793901dd53668335d14206073"},
	} {
		b := &backend{clock: storetest.NewClock()}
		r := b.newRecord(&StatePosition{"L", math.MaxUint64})
		r.Digest, r.Size, r.ObjectKey, r.ObjectVersion = strings.Repeat("d1", 32), 4, "key", "v1"
		r.Dependencies = c.dependencies
		r.Targets = c.targets
		r.Counts.Invoke = c.invoke
		if r.EqualTo = c.equalTo; c.equalTo != nil {
			r.ChangesDigest, r.PolicyDigest, r.PolicyResult = strings.Repeat("a1", 32), strings.Repeat("a2", 32), "warned"
			r.Required = fullAudit().Required
		}
		if r.ModulesDigest = c.modules; c.modules != "" {
			r.ModuleFiles = map[string]string{"module.vpc: run.sh": "f3"}
		}
		want := commitA + "#2025-03-01T12:00:00.124456789Z#100.1#" + c.seal
		if got := r.ID(); got != want {
			t.Errorf("version %d: ID %s\nwant %s", c.version, got, want)
		}
	}
}

// Nothing that a reader trusts may be outside of the seal.
func TestEveryFieldOfARecordIsSealed(t *testing.T) {
	t.Parallel()
	b := &backend{clock: storetest.NewClock()}
	r := b.newRecord(&StatePosition{"L", 5})
	r.Dependencies = []Dependency{{"network", "prod", StatePosition{"N", 7}}}
	r.ModulesDigest, r.ModuleFiles = strings.Repeat("e2", 32), map[string]string{"module.vpc: run.sh": "f3"}
	r.Mode, r.Targets, r.Replace = "destroy", []string{"a.b"}, []string{"c.d"}
	r.BuiltDigest, r.BuiltSize, r.BuiltVersion = strings.Repeat("b1", 32), 5, "v1"
	r.Required, r.EqualTo = fullAudit().Required, []string{anotherID}
	before := r.ID()
	var check func(name string, v reflect.Value)
	check = func(name string, v reflect.Value) {
		old := reflect.ValueOf(v.Interface())
		switch value := v.Interface().(type) {
		case time.Time:
			v.Set(reflect.ValueOf(value.Add(time.Second)))
		case map[string]string:
			v.Set(reflect.ValueOf(map[string]string{"other.tf": "cc33"}))
		case []string:
			v.Set(reflect.ValueOf([]string{"e.f"}))
		case []approvals.Requirement:
			check(name, v.Index(0))
			v.SetZero()
		case []Dependency:
			check(name, v.Index(0))
			v.SetZero()
		case *StatePosition:
			check(name, v.Elem())
			v.SetZero()
		default:
			switch v.Kind() {
			case reflect.Bool:
				v.SetBool(!v.Bool())
			case reflect.String:
				v.SetString(v.String() + "x")
			case reflect.Int, reflect.Int64:
				v.SetInt(v.Int() + 1)
			case reflect.Uint64:
				v.SetUint(v.Uint() + 1)
			case reflect.Struct:
				for i := range v.NumField() {
					check(name+"."+v.Type().Field(i).Name, v.Field(i))
				}
				return
			default:
				t.Fatalf("%s: what is another %s?", name, v.Type())
			}
		}
		if r.ID() == before {
			t.Errorf("%s is not sealed", name)
		}
		v.Set(old)
		if r.ID() != before {
			t.Fatalf("%s could not be put back", name)
		}
	}
	check("Record", reflect.ValueOf(&r).Elem())
}

// randomRecord is a record of any values that a plan action may have.
func randomRecord(random *rand.Rand) Record {
	text := func() string {
		switch random.IntN(3) {
		case 0:
			return ""
		case 1:
			return awkward[random.IntN(len(awkward))]
		}
		b := make([]byte, random.IntN(40)) // of any bytes
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		return string(b)
	}
	number := func() int { return []int{0, 1, 9, 10, 1 << 31, math.MaxInt}[random.IntN(6)] }
	name := func() string {
		for {
			if n := awkward[random.IntN(len(awkward))]; checkName("", n) == nil {
				return n
			}
		}
	}
	created := time.Unix(random.Int64N(1<<33), random.Int64N(1e9))
	r := Record{
		Target: Target{"Acme/Infra", name(), name()},
		Commit: fmt.Sprintf("%040x", random.Uint64()), CreatedAt: created.In(time.FixedZone("x", random.IntN(40000))),
		Run: Run{fmt.Sprint(random.Uint64()), 1 + number()/2, text()}, Actor: text(),
		Kind: KindChange, Outcome: OutcomeChanges,
		Digest: text(), Size: int64(number()), ObjectKey: text(), ObjectVersion: text(),
		BuiltDigest: text(), BuiltSize: int64(number()), BuiltVersion: text(),
		ConfigurationDigest: text(), ModulesDigest: text(), TerraformName: text(), TerraformVersion: text(),
		Counts:      changes.Counts{Create: number(), Move: number(), Outputs: number(), Invoke: number()},
		PullRequest: number(), Branch: text(), BaseCommit: text(),
		ChangesDigest: text(), PolicyDigest: text(), PolicyResult: []string{"", "passed", "warned", "denied"}[random.IntN(4)],
		ExpiresAt: created.Add(time.Second + time.Duration(random.Int64N(1e17))),
	}
	if random.IntN(2) == 0 {
		r.State = &StatePosition{text(), []uint64{0, 1, math.MaxUint64}[random.IntN(3)]}
	}
	for range random.IntN(13) {
		of := approvals.Requirement{Count: number(), Reason: text(), Source: text(), Older: random.IntN(2) == 0, Write: random.IntN(2) == 0}
		for range random.IntN(3) {
			of.Teams, of.Users = append(of.Teams, text()), append(of.Users, text())
		}
		r.Required = append(r.Required, of)
	}
	r.Required = boundRequirements(r.Required) // as Put does
	for range random.IntN(3) {
		r.EqualTo = append(r.EqualTo, anotherID)
	}
	for range random.IntN(4) {
		r.Dependencies = append(r.Dependencies, Dependency{name(), name(), StatePosition{text(), random.Uint64()}})
	}
	slices.SortFunc(r.Dependencies, compareDependencies)
	r.Dependencies = slices.CompactFunc(r.Dependencies, func(a, b Dependency) bool { return compareDependencies(a, b) == 0 })
	if random.IntN(3) > 0 {
		r.Files = map[string]string{}
		for range random.IntN(4) {
			if file := text(); file != "" { // DynamoDB knows no empty name
				r.Files[file] = text()
			}
		}
	}
	return r
}

// What both backends store of a record is the same, and is it when it is read.
func TestRecordIsTheSameRecordAfterEveryRoundTrip(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		given := randomRecord(random)
		item := newRecordItem(given)
		r, err := item.record()
		must(t, err)
		if r.ID() != given.ID() || r.ID() != item.SK {
			t.Fatalf("%+v has the ID %s, and as it is stored %s", given, given.ID(), r.ID())
		}

		encoded, err := storage.Encode(item)
		must(t, err)
		value, err := json.Marshal(encoded)
		must(t, err)
		inFolder, err := storage.Parse(value)
		must(t, err)
		for where, stored := range map[string]storage.Item{"encoded": encoded, "folder": inFolder} {
			got, err := openRecord(stored)
			must(t, err)
			if diff := cmp.Diff(r, got); diff != "" {
				t.Fatalf("%s (-stored +read):\n%s", where, diff)
			}
			if got.ID() != item.SK {
				t.Fatalf("%s: ID %s, want %s", where, got.ID(), item.SK)
			}
		}
	}
}

func TestStoredRecordsOfAnyValuesAreFound(t *testing.T) {
	onEachBackend(t, func(t *testing.T, b *backend) {
		random := rand.New(rand.NewPCG(3, 4))
		for range 25 {
			r := randomRecord(random)
			if most := r.CreatedAt.Add(MaxRetention); r.ExpiresAt.After(most) {
				r.ExpiresAt = most
			}
			r = b.put(t, r, "plan")
			b.clock.Advance(r.CreatedAt.Sub(b.clock.Now()))
			found, err := b.Find(t.Context(), r.Target, r.Commit)
			must(t, err)
			if diff := cmp.Diff(r, found.Record); diff != "" {
				t.Fatalf("(-stored +found):\n%s", diff)
			}
			if found.Record.ID() != r.ID() {
				t.Fatalf("ID %s, want %s", found.Record.ID(), r.ID())
			}
			must(t, b.Fetch(t.Context(), found.Record, filepath.Join(t.TempDir(), "f")))
		}
	})
}
