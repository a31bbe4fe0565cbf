<?php echo "php ", getmypid(), "\n";
