using Supervisor.Manual;

// manual FOLDER [FILE]: writes every page into the folder, and the description of the control interface into the file.
foreach (var (name, text) in Pages.All())
{
    File.WriteAllText(Path.Combine(args[0], name), text);
}

if (args.Length > 1)
{
    File.WriteAllText(args[1], OpenApi.Text());
}
