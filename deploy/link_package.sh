#!/usr/bin/env bash
# Make the checkout importable in .venv and give it its command, without a build step (so that nothing but the lock is downloaded).
set -euo pipefail
cd "$(dirname "$0")/.."
site=$(.venv/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
printf '%s\n%s\n' "$PWD/backend" "$PWD" > "$site/petinsure360.pth"
cat > .venv/bin/petinsure360 <<SCRIPT
#!$PWD/.venv/bin/python
import sys
from app.cli import main
sys.exit(main())
SCRIPT
chmod +x .venv/bin/petinsure360
