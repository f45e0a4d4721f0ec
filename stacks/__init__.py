"""What modelwright deploys: three stacks, composed from constructs that do one thing each.

Only CloudFormation's own resource types, written out (`Cfn…`): what a template says is what stands here, and the local
cloud reads the same template.
"""
