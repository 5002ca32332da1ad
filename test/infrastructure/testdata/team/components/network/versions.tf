terraform {
  required_version = ">= 1.11"
  backend "s3" {
    use_lockfile   = true
    use_path_style = true
  }
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

# The endpoint and the credentials are in the environment.
provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
  default_tags {
    tags = { Team = "platform", Stage = "dev" }
  }
}
