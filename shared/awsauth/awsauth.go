// Package awsauth gets short-lived AWS credentials for GitHub's ID token, one set for each role.
// Each is given only to the part that needs it: to an AWS client as its configuration
// ([Config]), or to Terraform and its providers, which ask for them at an [Endpoint]. There are
// no long-lived credentials, and nothing is exported to later steps.
//
// GitHub signs a token that says which repository, ref and workflow the run belongs to. The
// role's trust policy says which of these may assume it. STS checks both, and returns
// credentials that are valid for an hour, or as long as was asked for. Before they end they
// are replaced, with a new token
// (https://docs.github.com/actions/how-tos/secure-your-work/security-harden-deployments/oidc-in-aws,
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html).
package awsauth

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/terraform-gitops/gitops/shared/problem"
)

// Audience is the audience for which an ID token must be made, unless the
// account's identity provider was set up with another one.
const Audience = "sts.amazonaws.com"

// ErrNoRegion is returned by [Config] and [Serve] if neither the request nor the environment
// names an AWS region.
var ErrNoRegion = problem.With(problem.StoreSettings, errors.New("no AWS region: set `region` in the settings or inputs, or AWS_REGION in the job's environment"))

// expiryWindow is how long before their end a client's credentials are replaced. No request
// takes that long.
const expiryWindow = 5 * time.Minute

// Request says which credentials are wanted.
type Request struct {
	// Region is the AWS region; empty means the environment's: AWS_REGION,
	// AWS_DEFAULT_REGION, or the one in the shared configuration.
	Region string
	// Role is the ARN of the role to assume; empty means the ambient credentials: those in
	// the environment, in the shared configuration, or of the machine.
	Role string
	// SessionName names the session in CloudTrail; see [SessionName].
	SessionName string
	// Duration is how long credentials are valid: 15 minutes to 12 hours, and not longer
	// than the role allows; 0 means STS's default, an hour.
	Duration time.Duration
	// Token returns a new ID token for the audience that the account's identity
	// provider expects; see [Audience]. It is only called for a role.
	Token func(context.Context) (string, error)
}

// Config returns a configuration for AWS clients with the requested credentials. A role is
// assumed before Config returns, so that a refusal is its error. It is assumed again, with a
// new token, before the credentials end.
//
// If AWS refuses the role, the error says what to change. No error holds a token or a
// credential. AWS's endpoints may be set in the environment (AWS_ENDPOINT_URL).
func Config(ctx context.Context, request Request) (aws.Config, error) {
	cfg, role, err := load(ctx, request)
	if err != nil || role == nil {
		return cfg, err
	}
	credentials := aws.NewCredentialsCache(role, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = expiryWindow })
	if _, err := credentials.Retrieve(ctx); err != nil {
		var refusal *roleError
		if errors.As(err, &refusal) {
			err = refusal // without the text that the cache adds
		}
		return aws.Config{}, err
	}
	cfg.Credentials = credentials
	return cfg, nil
}

// load reads the SDK's configuration, and returns it with the provider of the requested role's
// credentials; nil if no role is requested.
func load(ctx context.Context, request Request) (aws.Config, *roleProvider, error) {
	var options []func(*config.LoadOptions) error
	if request.Region != "" {
		options = append(options, config.WithRegion(request.Region))
	}
	if request.Role != "" {
		if !isRole(request.Role) {
			return aws.Config{}, nil, problem.With(problem.AWSRole, fmt.Errorf("role %q is not the ARN of a role, such as arn:aws:iam::123456789012:role/gitops-plan", request.Role))
		}
		// AssumeRoleWithWebIdentity is not signed, so ambient credentials, which may be
		// broken, are not used.
		options = append(options, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return aws.Config{}, nil, problem.With(problem.AWSCredentials, fmt.Errorf("load the AWS configuration: %w", err))
	}
	if cfg.Region == "" {
		return aws.Config{}, nil, ErrNoRegion
	}
	if request.Role == "" {
		return cfg, nil, nil
	}
	return cfg, &roleProvider{client: sts.NewFromConfig(cfg), request: request}, nil
}

func isRole(role string) bool {
	parsed, err := arn.Parse(role)
	return err == nil && parsed.Service == "iam" && strings.HasPrefix(parsed.Resource, "role/")
}

// roleProvider assumes a role with a new ID token each time. The SDK's own provider gets the
// token without a context, and its errors say only what AWS says.
type roleProvider struct {
	client  *sts.Client
	request Request
}

func (p *roleProvider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	token, err := p.request.Token(ctx)
	if err != nil {
		return aws.Credentials{}, &roleError{role: p.request.Role, cause: err}
	}
	credentials, err := stscreds.NewWebIdentityRoleProvider(p.client, p.request.Role, idToken(token),
		func(o *stscreds.WebIdentityRoleOptions) {
			o.RoleSessionName, o.Duration = p.request.SessionName, p.request.Duration
		},
	).Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, explain(p.request.Role, token, err)
	}
	return credentials, nil
}

type idToken string

func (t idToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }
