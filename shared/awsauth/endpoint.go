package awsauth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"
)

// Endpoint gives a role's credentials to a process and those that it starts, for
// as long as they run: a server on loopback that speaks the protocol of AWS's
// container credentials, which every AWS SDK knows, and asks again before a set
// of credentials ends
// (https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html).
//
// Who asks must know its random token, which only the process's environment
// holds. It answers nothing else. See [Endpoint.Environment].
type Endpoint struct {
	region, address, token string

	renewal *renewal
	server  *http.Server
	ctx     context.Context // of renewals, until Close
	cancel  context.CancelFunc
	served  chan struct{} // closed when server has ended
}

// Watch is told what an [Endpoint] does.
type Watch struct {
	// Now is the time.
	Now func() time.Time
	// Given gets the secrets of each set of credentials before anybody else does,
	// and the endpoint's own token, to hide them.
	Given func(secrets ...string)
	// Failed gets the first error of a renewal, and when the credentials end that
	// were to be replaced. Until then who asks gets these, and has it tried again.
	Failed func(err error, ends time.Time)
}

const endpointPath = "/credentials"

// Serve takes on the request's role and starts an endpoint for its credentials;
// they are renewed, each time with a new ID token, also after ctx has ended, so
// that a process that was told to stop can write what it must. Close it after use.
//
// Its errors are those of [Config].
func Serve(ctx context.Context, request Request, watch Watch) (*Endpoint, error) {
	cfg, role, err := load(ctx, request)
	if err != nil {
		return nil, err
	}
	if role == nil {
		return nil, errors.New("serve AWS credentials: no role is given")
	}
	e := &Endpoint{region: cfg.Region, token: rand.Text(), renewal: &renewal{provider: role, watch: watch}, served: make(chan struct{})}
	if err := e.renewal.renew(ctx); err != nil {
		return nil, err
	}
	watch.Given(e.token)
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("serve AWS credentials: %w", err)
	}
	e.address = "http://" + listener.Addr().String() + endpointPath
	e.ctx, e.cancel = context.WithCancel(context.WithoutCancel(ctx))
	e.server = &http.Server{
		Handler:           e,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // a client's broken connection is nobody's business
	}
	go func() {
		defer close(e.served)
		_ = e.server.Serve(listener) // ends with Close, and not before: loopback does not go away
	}()
	return e, nil
}

// Environment returns the variables that make a process, and what it starts, ask
// for credentials here, and its region. AWS's programs look elsewhere first: there
// must be no other credentials in its environment, and no default profile; see
// [HideDefaultProfile].
func (e *Endpoint) Environment() map[string]string {
	return map[string]string{
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": e.address,
		"AWS_CONTAINER_AUTHORIZATION_TOKEN":  e.token,
		"AWS_REGION":                         e.region,
		"AWS_DEFAULT_REGION":                 e.region, // some tools know only this one
	}
}

// Close ends the endpoint, and a renewal that is under way. The credentials that
// it gave stay valid until their end.
func (e *Endpoint) Close() error {
	e.cancel()
	err := e.server.Close()
	<-e.served
	return err
}

// ServeHTTP answers who knows the token.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.URL.Path != endpointPath:
		refuse(w, http.StatusNotFound, "NotFound", "there is nothing here")
		return
	case subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte(e.token)) != 1:
		refuse(w, http.StatusUnauthorized, "Unauthorized", "the authorization token is another one")
		return
	case r.Method != http.MethodGet:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed", "only GET is answered")
		return
	}
	//nolint:contextcheck // who asks may give up in seconds, and the next one gets what was begun for it
	credentials, err := e.renewal.retrieve(e.ctx)
	if err != nil {
		// Not a 5xx: the SDK would try again for minutes, as this has done.
		refuse(w, http.StatusForbidden, "CredentialsNotRenewed", err.Error())
		return
	}
	answer(w, http.StatusOK, map[string]string{
		"AccessKeyId":     credentials.AccessKeyID,
		"SecretAccessKey": credentials.SecretAccessKey,
		"Token":           credentials.SessionToken,
		"Expiration":      credentials.Expires.UTC().Format(time.RFC3339),
	})
}

// refuse answers with an error whose code and message SDKs show.
func refuse(w http.ResponseWriter, status int, code, message string) {
	answer(w, status, map[string]string{"code": code, "message": message})
}

func answer(w http.ResponseWriter, status int, fields map[string]string) {
	w.Header().Set("Content-Type", "application/json") // Go's SDK reads errors of exactly this type
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(fields) // who asked is gone: nobody to tell
}
