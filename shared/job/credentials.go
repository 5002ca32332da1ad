package job

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/terraform-gitops/gitops/shared/awsauth"
	"github.com/terraform-gitops/gitops/shared/gha"
	"github.com/terraform-gitops/gitops/shared/inventory"
)

// request asks for a role's credentials; the ambient ones when it is empty.
func (j *Job) request(role string) awsauth.Request {
	name := awsauth.SessionName(j.Context.Repository, j.Context.RunID, j.Target.Component, j.Target.Stack)
	return requestRole(j.runtime, j.Settings, role, name)
}

func requestRole(r *gha.Runtime, s inventory.Effective, role, session string) awsauth.Request {
	audience := s.Audience
	if audience == "" {
		audience = awsauth.Audience
	}
	return awsauth.Request{
		Region: s.Region, Role: role, SessionName: session,
		Token: func(ctx context.Context) (string, error) { return r.IDToken(ctx, audience) },
	}
}

// terraformCredentials returns the variables with which Terraform, its providers
// and its provisioners have a role's credentials until Close, however long that is.
func (j *Job) terraformCredentials(ctx context.Context, role string, now func() time.Time) (map[string]string, error) {
	request := j.request(role)
	request.Duration = j.Inputs.RoleDuration
	endpoint, err := awsauth.Serve(ctx, request, awsauth.Watch{
		Now: now,
		Given: func(secrets ...string) {
			for _, secret := range secrets {
				j.runtime.Mask(secret)
			}
		},
		Failed: func(err error, ends time.Time) {
			j.runtime.Warning(gha.Annotation{Message: fmt.Sprintf(
				"Terraform's credentials for %s end at %s and could not be renewed; it is tried again until then: %v",
				j.Target, ends.UTC().Format(time.TimeOnly+" UTC"), err)})
		},
	})
	if err != nil {
		return nil, err
	}
	j.endpoints = append(j.endpoints, endpoint)
	variables := endpoint.Environment()
	for name := range variables {
		if strings.HasSuffix(name, "_REGION") && j.terraformVariable(name) != "" {
			delete(variables, name) // the settings' region is the plan store's: the job's own beats it
		}
	}
	hidden, err := awsauth.HideDefaultProfile(j.terraformVariable, j.inRoot(j.Target.Dir), j.Dir)
	if err != nil {
		return nil, err
	}
	for name, file := range hidden {
		variables[name] = file
	}
	return variables, nil
}

// terraformVariable is a variable that the target or the job's environment sets.
func (j *Job) terraformVariable(name string) string {
	if value, ok := j.Target.Env[name]; ok {
		return value
	}
	i := slices.IndexFunc(j.environ, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	if i < 0 {
		return ""
	}
	return j.environ[i][len(name)+1:]
}
