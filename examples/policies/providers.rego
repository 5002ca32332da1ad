# No provisioner runs, since Terraform does not know what it does. And only the providers of
# settings.yaml are used: a provider is a program that gets the job's credentials.
package main

deny_provisioners contains msg if {
	walk(input.configuration, [_, resource])
	some provisioner in resource.provisioners
	msg := sprintf("%s has a provisioner: %s", [resource.address, provisioner.type])
}

deny_providers contains msg if {
	some provider in used_providers
	not provider in allowed_providers
	msg := sprintf("the provider %s is not one that may be used", [provider])
}

# Without settings no provider may be used. (`not x in data.y` is undefined if data.y is: it would allow all.)
default allowed_providers := []

allowed_providers := data.settings.providers

used_providers contains config.full_name if some config in input.configuration.provider_config

used_providers contains r.provider_name if some r in input.resource_changes
