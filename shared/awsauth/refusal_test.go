package awsauth_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/terraform-gitops/gitops/shared/awsauth"
)

func TestRefusalsSayWhatToDo(t *testing.T) {
	const pull = "repo:acme/infra:pull_request"
	for name, test := range map[string]struct {
		status        int
		code, message string
		token         string
		want          string
	}{
		"trust policy": {
			403, "AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", tokenOf(pull),
			`AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity: its trust policy does not trust this run, or there is no such role: ` +
				`the run's token has subject "repo:acme/infra:pull_request" and audience "sts.amazonaws.com"; ` +
				`allow these in the policy's conditions on token.actions.githubusercontent.com:sub and token.actions.githubusercontent.com:aud`,
		},
		"another GitHub, several audiences": {
			403, "AccessDenied", "no", jwt(`{"iss":"https://github.example/_services/token","aud":["a","b"],"sub":"s"}`),
			`AccessDenied: no: its trust policy does not trust this run, or there is no such role: ` +
				`the run's token has subject "s" and audience "a b"; ` +
				`allow these in the policy's conditions on github.example/_services/token:sub and github.example/_services/token:aud`,
		},
		"an environment, a reusable workflow, a subject with ids": {
			403, "AccessDenied", "no", jwt(`{"iss":"https://token.actions.githubusercontent.com","aud":"sts.amazonaws.com","sub":"repo:acme@12/infra@345:environment:prod",` +
				`"environment":"prod","job_workflow_ref":"acme/workflows/.github/workflows/apply.yml@refs/heads/main"}`),
			`AccessDenied: no: its trust policy does not trust this run, or there is no such role: ` +
				`the run's token has subject "repo:acme@12/infra@345:environment:prod", audience "sts.amazonaws.com", environment "prod" ` +
				`and job_workflow_ref "acme/workflows/.github/workflows/apply.yml@refs/heads/main"; ` +
				`allow these in the policy's conditions on token.actions.githubusercontent.com:sub and token.actions.githubusercontent.com:aud; ` +
				`the policy must name the subject with its ids, as GitHub writes it for repositories made since July 2026`,
		},
		"no provider": {
			400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com", tokenOf(pull),
			`InvalidIdentityToken: No OpenIDConnect provider found in your account for https://token.actions.githubusercontent.com: ` +
				`account 123456789012 does not know GitHub yet: add an IAM identity provider (OpenID Connect) for https://token.actions.githubusercontent.com with audience "sts.amazonaws.com"`,
		},
		"audience": {
			400, "InvalidIdentityToken", "Incorrect token audience", tokenOf(pull),
			`InvalidIdentityToken: Incorrect token audience: add audience "sts.amazonaws.com" to the IAM identity provider token.actions.githubusercontent.com of account 123456789012`,
		},
		"expired": {
			400, "ExpiredTokenException", "Token expired: current date/time 1 must be before the expiration date/time 0", tokenOf(pull),
			`ExpiredTokenException: Token expired: current date/time 1 must be before the expiration date/time 0: ` +
				`the ID token, which is valid for a few minutes, had expired when AWS read it: run again, and check the clock of the GitHub server if it is your own`,
		},
		"not yet valid": {
			400, "InvalidIdentityToken", "The ID Token provided is not yet valid", tokenOf(pull),
			`InvalidIdentityToken: The ID Token provided is not yet valid: ` +
				`for AWS, the ID token was made in the future: run again, and check the clock of the GitHub server if it is your own`,
		},
		"too long": {
			400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", tokenOf(pull),
			`ValidationError: The requested DurationSeconds exceeds the MaxSessionDuration set for this role.: ` +
				"ask for less in `role-duration-seconds`, or raise the role's maximum session duration; an hour is enough for a longer apply, too, since credentials are renewed",
		},
		"region": {
			403, "RegionDisabledException", "STS is not activated in this region for account:123456789012", tokenOf(pull),
			`RegionDisabledException: STS is not activated in this region for account:123456789012: ` +
				`activate STS for this region in the account's settings, or choose another region`,
		},
		"a token that is none": {
			400, "InvalidIdentityToken", "The ID Token provided is not a valid JWT.", "no-token",
			`InvalidIdentityToken: The ID Token provided is not a valid JWT.: check the IAM identity provider token.actions.githubusercontent.com of account 123456789012`,
		},
		"the token in AWS's message": {
			400, "ValidationError", "1 validation error detected: Value '" + tokenOf(pull) + "' at 'webIdentityToken' failed", tokenOf(pull),
			`ValidationError: 1 validation error detected: Value '***' at 'webIdentityToken' failed`,
		},
		"half of it": {
			400, "ValidationError", "Value '" + tokenOf(pull)[:60] + "...' failed", tokenOf(pull),
			`ValidationError: Value '***' failed`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSecurity(t, test.status, `<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type><Code>`+
				test.code+`</Code><Message>`+test.message+`</Message></Error><RequestId>1</RequestId></ErrorResponse>`)
			environment(t, "AWS_ENDPOINT_URL="+s.URL, "AWS_MAX_ATTEMPTS=1")
			_, err := awsauth.Config(t.Context(), awsauth.Request{
				Region: "us-east-2", Role: role, SessionName: "x-y",
				Token: func(context.Context) (string, error) { return test.token, nil },
			})
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff("assume role "+role+": "+test.want, err.Error()); diff != "" {
				t.Error(diff)
			}
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				if strings.Contains(cause.Error(), "eyJ") {
					t.Errorf("an error shows the token: %v", cause)
				}
			}
			var refusal smithy.APIError
			if test.code != "ValidationError" && (!errors.As(err, &refusal) || refusal.ErrorCode() != test.code) {
				t.Errorf("the cause is lost: %v", err)
			}
		})
	}
}
