package terraform

import (
	"errors"
	"regexp"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// ErrModuleAccess is found in the error of Init, or of a plan that begins with an init, if the Git
// repository of a module could not be read: it is private, or its host is unknown.
var ErrModuleAccess = problem.With(problem.ModuleAccess, errors.New("a module's Git repository could not be read (inputs `git-credentials` and `ssh-key`)"))

const moduleAccessAdvice = "If it is private, give the action access to it: `git-credentials` for https, or `ssh-key` for ssh. If access was given, it does not suffice for this repository."

const hostKeyAdvice = "The SSH server's key is not known: list it in `ssh-known-hosts` (GitHub's own are known), as `ssh-keyscan` prints it, after comparing it with the one that the server's owner publishes."

// What Git and OpenSSH print; HTTP servers answer 404 for what somebody may not see.
var (
	noAccess = regexp.MustCompile(`could not read (Username|Password)|Authentication failed|Permission denied \(|[Rr]epository (\S+ )?not found|returned error: 40[134]|HTTP Basic: Access denied`)
	noHost   = regexp.MustCompile(`Host key verification failed|No \S+ host key is known`)
	fetching = regexp.MustCompile(`(Failed|Could not) (to )?download module`)
)

// explainModules adds advice to each error about a module that could not be fetched for want of
// access, and reports whether there is one.
func explainModules(diagnostics []Diagnostic, output string) (found bool) {
	advice := func(text string) string {
		switch {
		case !fetching.MatchString(text):
			return ""
		case noHost.MatchString(text):
			return hostKeyAdvice
		case noAccess.MatchString(text):
			return moduleAccessAdvice
		}
		return ""
	}
	for i, d := range diagnostics {
		if said := advice(d.Summary + "\n" + d.Detail); said != "" && d.Severity == severityError {
			diagnostics[i].Detail = said + "\n\n" + d.Detail
			found = true
		}
	}
	return found || advice(output) != ""
}
