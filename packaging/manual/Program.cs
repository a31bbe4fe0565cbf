using Supervisor.Manual;

// manual FOLDER: writes every page into it.
foreach (var (name, text) in Pages.All())
{
    File.WriteAllText(Path.Combine(args[0], name), text);
}
