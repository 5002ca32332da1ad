locals {
  settings = {
    artifact-storage = {
      region = module.bucket.region
      bucket = module.bucket.name
      table  = module.table.name
      role = {
        plan  = module.storage_roles.plan_storage_role_arn
        apply = module.storage_roles.apply_storage_role_arn
        drift = module.storage_roles.drift_storage_role_arn
      }
    }
    terraform-version = "1.11.4"
  }
  stacks = merge([for key, account in { development = module.development, production = module.production } : {
    for stack in var.accounts[key].stacks : stack => account.stack_settings
  }]...)
}

output "gitops_yaml" {
  description = "For a repository of plain Terraform or OpenTofu: paste it into `gitops.yaml`."
  value       = replace(yamlencode(merge(local.settings, { stacks = local.stacks })), "\"", "")
}

output "atmos_settings" {
  description = "For an Atmos repository: `atmos.yaml`, and the settings of each stack for its manifest."
  value = {
    "atmos.yaml" = replace(yamlencode({ integrations = { github = { gitops = local.settings } } }), "\"", "")
    stacks = { for stack, settings in local.stacks : stack => replace(yamlencode({ settings = { integrations = { github = {
      gitops = { role = settings.role, environment = settings.environment }
    } } } }), "\"", "") }
  }
}

output "subjects" {
  description = "The subjects of GitHub's tokens that may apply, by what they may use."
  value = {
    plan_store  = module.storage_roles.subjects.apply
    development = module.development.subjects.apply
    production  = module.production.subjects.apply
  }
}
