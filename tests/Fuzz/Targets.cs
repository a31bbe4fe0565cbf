using System.Text;
using Microsoft.AspNetCore.Http;
using Supervisor.Config;
using Supervisor.Config.Diagnostics;
using Supervisor.Config.Import;
using Supervisor.Config.Settings;
using Supervisor.Core.Protocols;
using Supervisor.Core.State;
using Supervisor.Core.Workers;
using Supervisor.Daemon.Control;
using Supervisor.Linux.Kernel;
using Supervisor.Linux.Workers;

namespace Supervisor.Fuzz;

/// <summary>The parsers that read what strangers write. A target returns for every input; an exception is a fault.</summary>
internal static class Targets
{
    /// <summary>By name, which is also the folder of its corpus.</summary>
    public static readonly IReadOnlyDictionary<string, Action<byte[]>> All = new Dictionary<string, Action<byte[]>>
    {
        ["notify"] = Notify,
        ["broker"] = data => BrokerRequest.TryParse(data, out _, out _),
        ["query"] = Query,
        ["toml"] = Toml,
        ["systemd"] = data => Import(data, "a.socket", "a.service", "a.service.d/10-a.conf"),
        ["supervisord"] = data => Import(data, "supervisord.conf"),
        ["circus"] = data => Import(data, "circus.ini"),
        ["pm2"] = data => Import(data, "ecosystem.config.js"),
        ["yaml"] = data => Import(data, "ecosystem.yaml"),
        ["procfile"] = data => Import(data, "Procfile", ".env"),
        ["environment"] = data => EnvironmentFile.Parse(Encoding.UTF8.GetString(data)),
        ["state"] = data => ManifestFormat.TryRead(data, out _, out _, out _),
        ["proc"] = Proc,
        ["netlink"] = Dump,
    };

    private static void Notify(byte[] data)
    {
        if (!NotifyMessage.TryParse(data, out var message, out _))
        {
            return;
        }

        _ = (message.IsReady, message.IsStopping, message.IsBarrier, message.IsReloading, message.IsAlive, message.IsHung);
        _ = (message.StoresDescriptors, message.RemovesDescriptors, message.DescriptorName, message.Status);
        _ = (message.MainPid, message.Errno, message.WatchdogInterval, message.Extension);
    }

    private static void Query(byte[] data)
    {
        var request = new DefaultHttpContext().Request;
        request.Method = data is [0, ..] ? "GET" : "POST";
        request.QueryString = new QueryString("?" + Encoding.Latin1.GetString(data));
        RequestParameters.Misunderstood(request);
        RequestParameters.TryReadWorker(request, out _, out _);
        RequestParameters.IsSet(request, "wait");
    }

    private static void Toml(byte[] data) =>
        ConfigParser.Parse([new ConfigSource("listend.toml", Encoding.UTF8.GetString(data))], new ConfigContext());

    // A NUL byte ends a file; the next has the next name.
    private static void Import(byte[] data, params string[] names)
    {
        var texts = Encoding.Latin1.GetString(data).Split('\0', names.Length);
        var files = texts.Select((text, number) => new ConfigSource(names[number], text)).ToList();
        if (ConfigImport.Translate(files).Toml is { } toml)
        {
            // What an import writes can be read.
            ConfigParser.Parse([new ConfigSource("listend.toml", toml)], new ConfigContext());
        }
    }

    private static void Proc(byte[] data)
    {
        ProcFile.ParseStat(data);
        ProcFile.ParseUsers(data);
        ProcFile.ParseCgroup(data);
        SignalMasks.Parse(data);
    }

    private static void Dump(byte[] data) => Netlink.ReadMessages(data, static (_, payload) =>
    {
        for (ushort type = 0; type < 4; type++)
        {
            Netlink.Attribute(payload[Math.Min(16, payload.Length)..], type);
        }
    });
}
