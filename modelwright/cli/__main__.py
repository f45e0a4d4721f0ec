"""`python -m modelwright.cli`, where no `modelwright` is installed beside the interpreter."""

from modelwright.cli.main import main

main()
