sub { [200, ["Content-Type" => "text/plain"], ["starlet $$\n"]] };
