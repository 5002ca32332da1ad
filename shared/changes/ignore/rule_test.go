package ignore_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/changes/ignore"
)

func address(t testing.TB, text string) ignore.Address {
	t.Helper()
	a, err := ignore.ParseAddress(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return a
}

func TestAnAddressIsMatchedPartByPart(t *testing.T) {
	t.Parallel()
	for pattern, c := range map[string]struct{ yes, no string }{
		"aws_iam_role.r":               {"aws_iam_role.r aws_iam_role.r[0] aws_iam_role.r[\"a.b\"]", "aws_iam_role.rr module.m.aws_iam_role.r aws_iam_role_policy.r data.aws_iam_role.r"},
		"aws_iam_role.r[0]":            {"aws_iam_role.r[0]", "aws_iam_role.r aws_iam_role.r[1] aws_iam_role.r[\"0\"]"},
		`aws_iam_role.r["a.b"]`:        {`aws_iam_role.r["a.b"]`, `aws_iam_role.r["a"] aws_iam_role.r["a.b.c"] aws_iam_role.r`},
		`aws_iam_role.r["${x}\u00e9"]`: {`aws_iam_role.r["$${x}é"]`, `aws_iam_role.r["x"]`},
		"aws_iam_role.r[*]":            {`aws_iam_role.r[0] aws_iam_role.r["x"]`, "aws_iam_role.r"},
		"aws_iam_role.*":               {`aws_iam_role.r aws_iam_role.x["k"]`, "module.m.aws_iam_role.r aws_iam_policy.r"},
		"aws_*.main*":                  {"aws_vpc.main aws_vpc.main_2 aws_s3_bucket.main[0]", "aws_vpc.a_main google_vpc.main"},
		"*.*":                          {"aws_vpc.a x.y[0]", "module.m.aws_vpc.a"},
		"**.aws_iam_role.*":            {`aws_iam_role.r module.m.aws_iam_role.r module.a["x.y"].module.b[0].aws_iam_role.r[1]`, "aws_iam_policy.r module.aws_iam_role.aws_vpc.x"},
		"module.eks.**":                {`module.eks.aws_vpc.v module.eks[0].aws_vpc.v module.eks["a"].module.n.aws_vpc.v["b"]`, "module.eks2.aws_vpc.v aws_vpc.v module.a.module.eks.aws_vpc.v"},
		`module.eks["a"].**`:           {`module.eks["a"].aws_vpc.v`, `module.eks["b"].aws_vpc.v module.eks.aws_vpc.v`},
		"module.*.aws_vpc.v":           {"module.a.aws_vpc.v module.b[0].aws_vpc.v", "aws_vpc.v module.a.module.b.aws_vpc.v"},
		"**.module.net.**.aws_vpc.*":   {"module.net.aws_vpc.v module.a.module.net.module.b.aws_vpc.v", "module.net.aws_subnet.s module.a.aws_vpc.v"},
		"**":                           {"aws_vpc.v module.a.aws_vpc.v[0]", "output.x"},
		"output.size":                  {"output.size", "output.size2 aws_output.size"},
		"output.*":                     {"output.size output.x", "aws_vpc.v"},
	} {
		a := address(t, pattern)
		for _, text := range strings.Fields(c.yes) {
			if !a.Matches(ignore.ReadInstance(text)) {
				t.Errorf("%s does not match %s", pattern, text)
			}
		}
		for _, text := range strings.Fields(c.no) {
			if a.Matches(ignore.ReadInstance(text)) {
				t.Errorf("%s matches %s", pattern, text)
			}
		}
	}
}

func TestAStateAndAPlanNameAnInstanceAlike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		module, kind, name string
		key                any
		address            string
	}{
		{"", "a_b", "c", nil, "a_b.c"},
		{"", "a_b", "c", 0.0, "a_b.c[0]"},
		{"", "a_b", "c", 1e6, "a_b.c[1000000]"},
		{`module.m["x.y"].module.n[1]`, "a_b", "c", "k", `module.m["x.y"].module.n[1].a_b.c["k"]`},
		{"", "a_b", "c", `q"\${`, `a_b.c["q\"\\$${"]`},
	} {
		a := address(t, c.address)
		if !a.Matches(ignore.InstanceOf(c.module, c.kind, c.name, c.key)) {
			t.Errorf("%+v is not %s", c, c.address)
		}
		if !a.Matches(ignore.ReadInstance(c.address)) {
			t.Errorf("%s is not itself", c.address)
		}
	}
}

// at are the steps of a path: a number is an index.
func at(text string) (steps []ignore.Step) {
	for _, s := range strings.Fields(text) {
		n, err := strconv.Atoi(s)
		if err != nil {
			steps = append(steps, ignore.Step{Name: s})
		} else {
			steps = append(steps, ignore.Step{Index: n, IsIndex: true})
		}
	}
	return steps
}

func TestAPathCoversAValueAndAllInIt(t *testing.T) {
	t.Parallel()
	for path, c := range map[string]struct{ yes, no []string }{
		"desired_capacity":      {[]string{"desired_capacity", "desired_capacity 0 x"}, []string{"desired_capacities", "", "x desired_capacity"}},
		"tags.LastScan":         {[]string{"tags LastScan"}, []string{"tags", "tags lastscan", "tags_all LastScan"}},
		"tags.Last*":            {[]string{"tags LastScan", "tags Last"}, []string{"tags First", "tags"}},
		`tags["a.b/c"]`:         {[]string{"tags a.b/c"}, []string{"tags a b/c"}},
		`tags["a*"]`:            {[]string{"tags a*"}, []string{"tags ab"}},
		"tags.a:b/c":            {[]string{"tags a:b/c"}, nil},
		"ingress.*.description": {[]string{"ingress 0 description", "ingress 17 description x"}, []string{"ingress 0 from_port", "ingress", "ingress 0"}},
		"ingress[*].x":          {[]string{"ingress 3 x"}, []string{"ingress 3 y"}},
		"ingress[0].x":          {[]string{"ingress 0 x"}, []string{"ingress 1 x"}},
		"ingress.0.x":           {[]string{"ingress 0 x"}, []string{"ingress 1 x"}},
		"**.password":           {[]string{"password", "a 0 b password"}, []string{"a", "a passwords"}},
		"a.**.z":                {[]string{"a z", "a b 0 z y"}, []string{"a b", "b z"}},
		"**":                    {[]string{"", "a", "a 0"}, nil},
		"*":                     {[]string{"a", "a b"}, []string{""}},
		"*.x":                   {[]string{"a x", "b x y"}, []string{"x", "a y"}},
	} {
		p, err := ignore.ParsePath(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range c.yes {
			if !p.Covers(at(text)) {
				t.Errorf("%s does not cover %q", path, text)
			}
		}
		for _, text := range c.no {
			if p.Covers(at(text)) {
				t.Errorf("%s covers %q", path, text)
			}
		}
	}
}

func TestWhatIsNoPatternIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", ".", "a_b", "a_b.", ".a_b", "a_b..c", "module.m", "module.m[0]", "module.m.a_b", "data.a_b.c", "module.m.data.a_b.c", "data.x",
		"a_b.c[", "a_b.c[]", "a_b.c[x]", "a_b.c['x']", `a_b.c["x]`, "a_b.c[01]", "a_b.c[-1]", "a_b.c[0][1]", "a_b.c[0]d", "a b.c", "a_b.c ", "a_b.***", "a_b.x**", "**[0]",
		"a_b.c:d", "a_b.(c)", "a_b.{c,d}", "output.x.y", "{stack}.x", strings.Repeat("a", 400) + ".b",
	} {
		if a, err := ignore.ParseAddress(text); err == nil {
			t.Errorf("the address %q is %v", text, a)
		}
	}
	for _, text := range []string{"", ".", "a.", ".a", "a..b", "[0]", `["a"]`, "a[", "a[]", "a[x]", `a."b"`, "a b", "a[0]b", "x**", "a.b**", `a["b`, strings.Repeat("a", 400)} {
		if p, err := ignore.ParsePath(text); err == nil {
			t.Errorf("the path %q is %v", text, p)
		}
	}
}

func TestARuleIsOnceInAList(t *testing.T) {
	t.Parallel()
	path, _ := ignore.ParsePath("x")
	a, b := ignore.Rule{Address: address(t, "a_b.c"), Path: path}, ignore.Rule{Address: address(t, "a_b.d"), Path: path}
	got, err := ignore.Distinct([]ignore.Rule{a, b}, nil, []ignore.Rule{a})
	if err != nil || len(got) != 2 || got[0].String() != "a_b.c: x" || got[1].String() != "a_b.d: x" {
		t.Error(got, err)
	}
}

// A pattern without wildcards matches itself, and nothing takes long.
func FuzzPatterns(f *testing.F) {
	for _, seed := range [][2]string{{"a_b.c", "tags.x"}, {`module.m["x.y"].a_b.c[0]`, `a["b"][0].*.**`}, {"**.**.**.**.*.x", "**.**.a*b*c*.**"}, {`a["\x`, `a["$${"]`}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, path string) {
		if a, err := ignore.ParseAddress(pattern); err == nil {
			i := ignore.ReadInstance(pattern)
			if !strings.Contains(pattern, "*") && !a.Matches(i) {
				t.Errorf("%q does not match itself", pattern)
			}
			a.Matches(ignore.ReadInstance(path))
		}
		if p, err := ignore.ParsePath(path); err == nil {
			p.Covers(at(pattern))
			p.CanBegin(pattern)
			if p.Covers(nil) && !strings.Contains(path, "**") {
				t.Errorf("%q covers a whole resource", path)
			}
		}
	})
}
