package changes

import "crypto/sha256"

// modulePath identifies a module: a hash of the path of its parent and the name of its call. It
// has one length, so that deep modules with long names take no more time.
type modulePath [sha256.Size]byte

func (m modulePath) call(name string) modulePath {
	return sha256.Sum256(append(m[:], name...))
}

// configuration reads the parts of the configuration that an apply uses and that are in no
// change: the providers' settings and the provisioners.
// https://developer.hashicorp.com/terraform/internals/json-format#configuration-representation
func (rd *reader) configuration() error {
	return rd.object(func(name string) error {
		switch {
		case rd.dec.PeekKind() == 'n':
		case name == "provider_config":
			return rd.object(rd.provider)
		case name == "root_module":
			return rd.module(modulePath{})
		}
		return rd.skip()
	})
}

// provider reads the settings of one provider.
func (rd *reader) provider(key string) error {
	if err := rd.read(); err != nil {
		return err
	}
	rd.digest.configured("provider", modulePath{}, key, rd.digest.value(&rd.tree))
	return nil
}

// module reads a module and those that it calls.
func (rd *reader) module(path modulePath) error {
	return rd.object(func(name string) error {
		switch {
		case rd.dec.PeekKind() == 'n':
		case name == "resources":
			return rd.elements(func() error { return rd.configuredResource(path) })
		case name == "module_calls":
			return rd.object(func(call string) error { return rd.moduleCall(path.call(call)) })
		}
		return rd.skip()
	})
}

func (rd *reader) moduleCall(path modulePath) error {
	return rd.object(func(name string) error {
		if name == "module" && rd.dec.PeekKind() != 'n' {
			return rd.module(path)
		}
		return rd.skip()
	})
}

// configuredResource reads the provisioners of a resource.
func (rd *reader) configuredResource(module modulePath) error {
	var address string
	var provisioners [sha256.Size]byte
	any := false
	err := rd.object(func(name string) error {
		switch name {
		case "address":
			return rd.string(&address)
		case "provisioners":
			if err := rd.read(); err != nil {
				return err
			}
			any = rd.tree.size(0) > 0
			provisioners = rd.digest.value(&rd.tree)
			return nil
		}
		return rd.skip()
	})
	if err == nil && any {
		rd.digest.configured("provisioners", module, address, provisioners)
	}
	return err
}
