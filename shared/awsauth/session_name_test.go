package awsauth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/terraform-gitops/gitops/shared/awsauth"
)

func TestSessionName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100)
	for name, test := range map[string]struct {
		parts []string
		want  string
	}{
		"short":            {[]string{"acme/infra", "30433642", "vpc", "plat-ue2-dev"}, "acme-infra@30433642@vpc@plat-ue2-dev"},
		"no target":        {[]string{"acme/infra", "1"}, "acme-infra@1"},
		"other characters": {[]string{"acme/infra", "1", "a b/ü:#", "c+=,.@-_d"}, "acme-infra@1@a-b----@c+=,.@-_d"},
		"exactly 64":       {[]string{"acme/infra", "1", strings.Repeat("x", 51)}, "acme-infra@1@" + strings.Repeat("x", 51)},
		"a long target":    {[]string{"acme/infra", "30433642", long, "dev"}, "acme-infra@30433642@" + strings.Repeat("x", 35) + "=d07fbb61"},
		"a long name":      {[]string{"acme/" + long, "30433642", "vpc"}, "acme-" + strings.Repeat("x", 37) + "@30433642@vpc=d1e1e2d5"},
		"both long":        {[]string{"acme/" + long, "30433642", long}, "acme-" + strings.Repeat("x", 18) + "@30433642@" + strings.Repeat("x", 22) + "=3b4d7dcb"},
		"nothing":          {[]string{"", ""}, "-@-"},
		"a very long run":  {[]string{"a", long, "b"}, "a@" + strings.Repeat("x", 50) + "@b=26d4cbef"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := awsauth.SessionName(test.parts[0], test.parts[1], test.parts[2:]...)
			// The digest only has to be the same each time.
			cut := regexp.MustCompile(`=[0-9a-f]{8}$`)
			if cut.ReplaceAllString(got, "") != cut.ReplaceAllString(test.want, "") || cut.MatchString(got) != cut.MatchString(test.want) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
	a := awsauth.SessionName("acme/infra", "1", long+"a")
	if b := awsauth.SessionName("acme/infra", "1", long+"b"); a == b {
		t.Errorf("two targets, one name: %s", a)
	}
}

func FuzzSessionName(f *testing.F) {
	allowed := regexp.MustCompile(`^[A-Za-z0-9_+=,.@-]{2,64}$`)
	f.Add("acme/infra", "30433642", "vpc", "dev")
	f.Add("", "", "", "")
	f.Add(strings.Repeat("ü", 300), "1", strings.Repeat("#", 64), "\x00\xff")
	f.Fuzz(func(t *testing.T, repository, run, component, stack string) {
		got := awsauth.SessionName(repository, run, component, stack)
		if !allowed.MatchString(got) {
			t.Errorf("%q is no session name", got)
		}
		if again := awsauth.SessionName(repository, run, component, stack); again != got {
			t.Errorf("%q, then %q", got, again)
		}
		if len(run) <= 50 && regexp.MustCompile(`^[0-9]+$`).MatchString(run) && !strings.Contains(got, "@"+run) {
			t.Errorf("%q does not hold run %q", got, run)
		}
	})
}
