import sys

from data_generator.cli import main

sys.exit(main())
