using System.Globalization;
using Supervisor.Config.Diagnostics;

namespace Supervisor.Config.Import;

/// <summary>
/// Ecosystem files of PM2: JavaScript, JSON or YAML. An app becomes a service. The port of an app in cluster mode, which PM2 holds,
/// becomes a listener.
/// </summary>
internal sealed class Pm2Import(ImportDraft draft, Func<string, string> fullPath)
{
    /// <summary>The file that a script may read by <c>require("./package.json")</c>.</summary>
    public const string PackageFile = "package.json";

    private const int MaxInstances = 1000;

    private static readonly Reason NotSet = Reason.Changed("the import takes variables of the environment as not set");
    private static readonly Reason Processors =
        Reason.Changed("the import takes the number of processors of this host: workers = \"cpus\" follows the host");

    private readonly List<ConfigSource> _files = [];
    private readonly Dictionary<string, ConfigSource> _packages = [];

    /// <summary>Whether the name says that the file is one of PM2.</summary>
    public static bool Reads(string name) => Path.GetExtension(name) is ".js" or ".cjs" or ".mjs" or ".json" or ".yaml" or ".yml";

    /// <summary>Whether the file is a script that may read the package next to it.</summary>
    public static bool NeedsPackage(string name, string text) =>
        Path.GetExtension(name) is ".js" or ".cjs" or ".mjs" && ScriptData.PackageNames.Any(text.Contains);

    public void Add(ConfigSource source) => _files.Add(source);

    public void AddPackage(ConfigSource source) => _packages[source.CompanionOf!] = source;

    public void Translate()
    {
        foreach (var file in _files)
        {
            var root = Root(file);
            if (root.Members?["services"]?.Members is not null && root.Members["apps"] is null && root.Members["script"] is null)
            {
                throw new ImportException(file.Path, 0, "a compose file describes containers, and listend runs programs")
                {
                    IsUnknownKind = true,
                };
            }

            var apps = root.Members is { } members && (members["apps"] ?? members["pm2"]) is { } listed ? listed : root;
            foreach (var (name, section) in root.Members ?? [])
            {
                if (name == "deploy")
                {
                    draft.Differences.Add(file.Path, section.Line, name, [], Pm2Reasons.Deploy);
                }
            }

            foreach (var app in apps.Items ?? [apps])
            {
                App(file, app);
            }
        }
    }

    private DataNode Root(ConfigSource file)
    {
        if (Path.GetExtension(file.Path) is ".yaml" or ".yml")
        {
            return YamlData.Read(file);
        }

        var script = ScriptData.Read(file, fullPath(file.Path), _packages.GetValueOrDefault(file.Path));
        foreach (var (name, line) in script.Variables)
        {
            draft.Differences.Add(new SourceSetting(file.Path, line, "", "process.env", name), NotSet);
        }

        foreach (var line in script.Processors)
        {
            var processors = System.Environment.ProcessorCount.ToString(CultureInfo.InvariantCulture);
            draft.Differences.Add(new SourceSetting(file.Path, line, "", "processors", processors), Processors);
        }

        return script.Exported;
    }

    private void App(ConfigSource file, DataNode node)
    {
        var app = new Pm2App(file.Path, node);
        if (app.Setting("script") is not { } script || script.Node.Text is not { Length: > 0 })
        {
            draft.Differences.Add(file.Path, node.Line, app.Name, app.Names, CommonReasons.NoProgram("script"));
            return;
        }

        if (script.Node.Text == "serve")
        {
            draft.Lost(script.Source, "PM2 itself serves the folder: write a program that serves files");
            return;
        }

        var folder = Folder(file, app);
        if (Pm2Command.Of(app, folder) is not { } command)
        {
            draft.Lost(script.Source, CommonReasons.OpenQuote);
            return;
        }

        var (count, ofProcessors) = Instances(app);
        if (count > MaxInstances)
        {
            draft.Lost(app.Setting("instances")!.Source, $"listend has 1 to {MaxInstances} workers for a service: split the app");
            return;
        }

        var increment = app.Setting("increment_var");
        if (increment is not null && ofProcessors)
        {
            draft.Lost(
                increment.Source, "the workers of a service have one environment: write instances as a number, or use {slot}");
        }

        var counted = count > 1 ? increment?.Node.Text : null;
        var listener = counted is null ? Listener(app) : null;
        for (var i = 0; i < (counted is null ? 1 : count); i++)
        {
            var name = counted is null ? app.Name : string.Create(CultureInfo.InvariantCulture, $"{app.Name}-{i}");
            var service = draft.Add("service", name, file.Path);
            service.Set("command", TomlLiteral.Of(command.Words), script.Source, command.Remark);
            if (counted is null && (count != 1 || ofProcessors))
            {
                service.Set("workers", ofProcessors ? TomlLiteral.Of("cpus") : TomlLiteral.Of(count), app.Setting("instances")?.Source);
            }

            Defaults(service, app, listener, folder);
            new Pm2Settings(service, app, folder).Translate();
            Environment(service, app, counted, i);
        }
    }

    private string Folder(ConfigSource file, Pm2App app)
    {
        var own = Path.GetDirectoryName(fullPath(file.Path)) is { Length: > 0 } folder ? folder : "/";
        return app.Setting("cwd")?.Node.Text is { } cwd ? Path.GetFullPath(cwd, own) : own;
    }

    /// <summary>The number of workers, and whether it follows the number of processors.</summary>
    private static (int Count, bool OfProcessors) Instances(Pm2App app)
    {
        if (app.Setting("instances") is not { } instances || instances.Node.Value is null)
        {
            return (1, false);
        }

        return instances.Node.Number is { } number && number >= 1 ? ((int)Math.Min(number, int.MaxValue), false) : (1, true);
    }

    /// <summary>The listener of an app in cluster mode whose port is known.</summary>
    private DraftSection? Listener(Pm2App app)
    {
        if (!app.IsCluster || app.Port is not { } port || port.Node.Number is not (>= 1 and <= 65535 and var number))
        {
            return null;
        }

        var listener = draft.Add("listener", app.Name, app.File);
        listener.Set("address", TomlLiteral.Of(string.Create(CultureInfo.InvariantCulture, $"tcp://*:{(int)number}")), port.Source);
        return listener;
    }

    private static void Defaults(DraftSection service, Pm2App app, DraftSection? listener, string folder)
    {
        if (listener is not null)
        {
            service.Listeners.Add(listener.Name);
            service.Set("ready", TomlLiteral.Of("accepting"));
            service.Report(app.Mode!.Source, Pm2Reasons.Descriptor);
        }
        else
        {
            service.Set(
                "ready", TomlLiteral.Of("started"), null, "\"notify\", \"accepting\" or \"http:/PATH\" make restarts safe");
            service.Set("rollout.strategy", TomlLiteral.Of("stop-first"), null, CommonReasons.BindsItself);
            if (app is { IsCluster: true, Mode: { } mode })
            {
                service.Report(mode.Source, Pm2Reasons.UnknownPort);
            }
        }

        service.Set("working_directory", TomlLiteral.Of(folder), app.Setting("cwd")?.Source,
            app.Setting("cwd") is null ? "PM2 takes the folder in which it is called" : null);
        service.Set("no_new_privileges", TomlLiteral.Of(false), null, "as PM2");
        service.Set("stop_signal", TomlLiteral.Of("SIGINT"), null, "as PM2");
        if (app.Setting("kill_timeout") is null)
        {
            service.Set("stop_timeout", TomlLiteral.Of(TimeSpan.FromMilliseconds(1600)), null, "PM2's default");
        }

        if (app.Setting("out_file") is null && app.Setting("log_file") is null)
        {
            service.Report(Pm2Reasons.Logs);
        }
    }

    private static void Environment(DraftSection service, Pm2App app, string? counted, int number)
    {
        void Set(string name, string value, SourceSetting? origin) =>
            service.Set($"environment.{TomlLiteral.Key(name)}", TomlLiteral.Of(value), origin);

        if (app.Setting("env") is { } env)
        {
            if (env.Node.Members is null && env.Node.Value is not null)
            {
                service.Lost(env.Source, "it is not an object of names and values");
            }

            foreach (var (name, value) in env.Node.Members ?? [])
            {
                if (value.Text is { } text)
                {
                    var sum = name == counted && value.Number is { } first ? first + number : double.NaN;
                    Set(name, double.IsNaN(sum) ? text : sum.ToString(CultureInfo.InvariantCulture), app.Source(name, value));
                }
                else if (value.Value is not null)
                {
                    service.Lost(app.Source(name, value), "the value of a variable is a text");
                }
            }
        }

        if (app.Setting("port") is { } port && port.Node.Text is { } fixedPort)
        {
            Set("PORT", fixedPort, port.Source);
        }

        var variable = app.Setting("instance_var")?.Node.Text ?? "NODE_APP_INSTANCE";
        service.SetWithPlaceholders(
            $"environment.{TomlLiteral.Key(variable)}",
            TomlLiteral.Of(counted is null ? "{slot}" : number.ToString(CultureInfo.InvariantCulture)),
            app.Setting("instance_var")?.Source,
            "as PM2");
    }
}
