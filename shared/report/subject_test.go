package report

import (
	"strings"
	"testing"
)

func TestRunsOfThisRepositoryAreLinks(t *testing.T) {
	t.Parallel()
	s := Subject{RunURL: "https://github.com/acme/infra/actions/runs/9/attempts/1"}
	for in, want := range map[string]string{
		"applied by https://github.com/acme/infra/actions/runs/12/attempts/2 [GITOPS-APPLIED]": `applied by [that run](https://github.com/acme/infra/actions/runs/12/attempts/2) [GITOPS-APPLIED](https://github.com/terraform-gitops/gitops/blob/main/docs/troubleshooting.md#gitops-applied)`,
		"(https://github.com/acme/infra/actions/runs/12), or":                                  `([that run](https://github.com/acme/infra/actions/runs/12)), or`,
		"in https://github.com/acme/infra/actions/runs/12.":                                    `in [that run](https://github.com/acme/infra/actions/runs/12).`,
		"in https://github.com/acme/other/actions/runs/12":                                     "in `https://github.com/acme/other/actions/runs/12`",
		"in https://evil.example/https://github.com/acme/infra/actions/runs/12":                "in `https://evil.example/https://github.com/acme/infra/actions/runs/12`",
		"in https://github.com/acme/infra/actions/runs/12](https://evil.example":               "in `https://github.com/acme/infra/actions/runs/12](https://evil.example`",
		"in https://github.com/acme/infra/actions/runs/../../../evil/actions/runs/1":           "in `https://github.com/acme/infra/actions/runs/../../../evil/actions/runs/1`",
	} {
		if got := s.text(in); got != want {
			t.Errorf("text(%q) = %s, want %s", in, got, want)
		}
		if got := (Subject{}).text(in); strings.Contains(got, "](https://github.com/acme") && !strings.Contains(in, "](") {
			t.Errorf("without an address of its own, text(%q) = %s", in, got)
		}
	}
}
