package awsauth

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/smithy-go"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// roleError says why a role could not be assumed, and what to do.
type roleError struct {
	role   string
	cause  error
	text   string // replaces the cause's text, unless empty
	advice string
}

func (e *roleError) Error() string {
	text := e.text
	if text == "" {
		text = e.cause.Error()
	}
	if e.advice != "" {
		text += ": " + e.advice
	}
	return fmt.Sprintf("assume role %s: %s", e.role, text)
}

func (e *roleError) Unwrap() error { return e.cause }

// Code is the cause's, such as for a missing ID token, or else problem.AWSRole.
func (e *roleError) Code() problem.Code { return cmp.Or(problem.CodeOf(e.cause), problem.AWSRole) }

// explain turns STS's answer into an error that says what to do. The error has the token's
// claims, but not the token itself.
func explain(role, token string, err error) error {
	explained := &roleError{role: role, cause: err, text: err.Error()}
	var refusal smithy.APIError
	if errors.As(err, &refusal) {
		explained.text = refusal.ErrorCode() + ": " + refusal.ErrorMessage()
		explained.advice = advice(role, readClaims(token), refusal)
	}
	// AWS quotes a parameter that it finds invalid.
	if text := withoutTokens(err.Error(), token); text != err.Error() {
		explained.cause = errors.New(text)
	}
	explained.text = withoutTokens(explained.text, token)
	return explained
}

// advice says what to do about a refusal, for the error codes of
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html#API_AssumeRoleWithWebIdentity_Errors
// and the messages that STS gives with them.
func advice(role string, claims claims, refusal smithy.APIError) string {
	parsed, _ := arn.Parse(role) // isRole has checked it
	provider := strings.TrimPrefix(claims.Issuer, "https://")
	message := refusal.ErrorMessage()
	switch refusal.ErrorCode() {
	case "AccessDenied":
		text := fmt.Sprintf("its trust policy does not trust this run, or there is no such role: "+
			"the run's token has %s; allow these in the policy's conditions on %s:sub and %[2]s:aud", claims, provider)
		if immutableSubject.MatchString(claims.Subject) {
			text += "; the policy must name the subject with its ids, as GitHub writes it for repositories made since July 2026"
		}
		return text
	case "InvalidIdentityToken":
		switch {
		case strings.Contains(message, "No OpenIDConnect provider"):
			return fmt.Sprintf("account %s does not know GitHub yet: add an IAM identity provider (OpenID Connect) for %s with audience %q",
				parsed.AccountID, claims.Issuer, claims.Audience)
		case strings.Contains(message, "audience"):
			return fmt.Sprintf("add audience %q to the IAM identity provider %s of account %s",
				claims.Audience, provider, parsed.AccountID)
		case strings.Contains(message, "not yet valid"):
			return "for AWS, the ID token was made in the future: run again, and check the clock of the GitHub server if it is your own"
		}
		return fmt.Sprintf("check the IAM identity provider %s of account %s", provider, parsed.AccountID)
	case "ExpiredTokenException":
		return "the ID token, which is valid for a few minutes, had expired when AWS read it: run again, and check the clock of the GitHub server if it is your own"
	case "ValidationError":
		if strings.Contains(message, "MaxSessionDuration") {
			return "ask for less in `role-duration-seconds`, or raise the role's maximum session duration; " +
				"an hour is enough for a longer apply, too, since credentials are renewed"
		}
	case "IDPCommunicationError":
		return "AWS could not ask GitHub for its keys: run again"
	case "RegionDisabledException":
		return "activate STS for this region in the account's settings, or choose another region"
	}
	return ""
}

// claims is what an ID token says about its run.
type claims struct {
	Issuer   string
	Subject  string
	Audience string
	// These are empty in most tokens.
	Environment, JobWorkflowRef string
}

// String lists the claims that trust policies check.
func (c claims) String() string {
	parts := []string{fmt.Sprintf("subject %q", c.Subject), fmt.Sprintf("audience %q", c.Audience)}
	if c.Environment != "" {
		parts = append(parts, fmt.Sprintf("environment %q", c.Environment))
	}
	if c.JobWorkflowRef != "" {
		parts = append(parts, fmt.Sprintf("job_workflow_ref %q", c.JobWorkflowRef))
	}
	last := len(parts) - 1
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}

// immutableSubject matches a subject with the IDs of the owner and the repository.
// https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
var immutableSubject = regexp.MustCompile(`^repo:[^:/@]+@[0-9]+/[^:/@]+@[0-9]+:`)

// readClaims reads a token without verifying it, to show what is in it.
func readClaims(token string) claims {
	var payload struct {
		Issuer   string `json:"iss"`
		Subject  string `json:"sub"`
		Audience any    `json:"aud"` // a text, or a list

		Environment    string `json:"environment"`
		JobWorkflowRef string `json:"job_workflow_ref"`
	}
	parts := strings.Split(token, ".")
	if len(parts) == 3 {
		if text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "=")); err == nil {
			_ = json.Unmarshal(text, &payload) // what cannot be read stays empty
		}
	}
	read := claims{
		Issuer: payload.Issuer, Subject: payload.Subject,
		Environment: payload.Environment, JobWorkflowRef: payload.JobWorkflowRef,
	}
	switch audience := payload.Audience.(type) {
	case string:
		read.Audience = audience
	case []any:
		read.Audience = strings.Trim(fmt.Sprint(audience), "[]")
	}
	if read.Issuer == "" {
		read.Issuer = "https://token.actions.githubusercontent.com"
	}
	return read
}

// jwt matches a JSON Web Token, or the beginning of one.
var jwt = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{8,}(\.[A-Za-z0-9_-]*)*`)

func withoutTokens(text, token string) string {
	if token == "" {
		return text
	}
	return jwt.ReplaceAllString(strings.ReplaceAll(text, token, "***"), "***")
}
